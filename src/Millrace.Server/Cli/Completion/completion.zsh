#compdef millrace
# Completion of millrace for zsh. For this shell: source <(millrace completion zsh), after compinit.
_millrace() {
    # The program knows itself as millrace, whatever path it is called by.
    local line="millrace ${(j: :)words[2,CURRENT]}"
    local -a candidates
    candidates=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
    compadd -- ${candidates:#} || _files
}
compdef _millrace millrace
