# Completion of millrace for fish. For this shell: millrace completion fish | source
function __millrace_candidates
    set -l words (commandline -opc)
    # The program knows itself as millrace, whatever path it is called by.
    set -l line (string join ' ' -- millrace $words[2..-1] (commandline -ct))
    $words[1] "[suggest:"(string length -- $line)"]" $line 2>/dev/null
end
complete -c millrace -a '(__millrace_candidates)'
