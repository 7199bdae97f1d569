#compdef millrace
# Completion of millrace for zsh. For this shell, after compinit: source <(millrace completion zsh)
_millrace() {
    # The program knows itself as millrace, whatever path it is called by.
    local line="millrace ${(j: :)words[2,CURRENT]}"
    local -a candidates
    candidates=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
    # Options only where one was begun: they would hide the rest.
    [[ ${words[CURRENT]} == -* ]] || candidates=("${(@)candidates:#-*}")
    candidates=("${(@)candidates:#}")
    if (( $#candidates )); then
        compadd -- "${candidates[@]}"
    else
        _files
    fi
}
compdef _millrace millrace
