# Completion of millrace for bash. For this shell: source <(millrace completion bash)
_millrace() {
    # The program knows itself as millrace, whatever path it is called by.
    local line="millrace${COMP_LINE#"${COMP_WORDS[0]}"}"
    local position=$((COMP_POINT + ${#line} - ${#COMP_LINE}))
    local word=${line:0:position}
    word=${word##* }
    # Bash takes a word to begin after the last of these characters.
    local before=${word%"${word##*[=:]}"}
    local candidates candidate
    mapfile -t candidates < <("${COMP_WORDS[0]}" "[suggest:$position]" "$line" 2>/dev/null)
    COMPREPLY=()
    for candidate in "${candidates[@]}"; do
        # Options only where one was begun: they would hide the rest.
        [[ $candidate == -* && $word != -* ]] && continue
        [[ $candidate == "$word"* ]] && COMPREPLY+=("${candidate#"$before"}")
    done
}
complete -o default -F _millrace millrace
