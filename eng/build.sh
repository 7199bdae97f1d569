# Sourced by the launchers: builds or publishes a project in Release when a source is newer than its last build.
# Quiet: a line on standard error says that it builds; what the build has to say goes there, too, and only if it fails.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=${MSBUILDDISABLENODEREUSE:-}

# build PROJECT_PATH OUTPUT_DLL
build() {
    if [ "${MILLRACE_ANALYZE:-}" = true ]; then
        # What an earlier build has compiled without analysis must be compiled again with it.
        compile analyzed "$2" build "$1" --no-incremental
    else
        compile built "$2" build "$1"
    fi
}

# publish PROJECT_PATH OUTPUT_DLL: compiled ahead of time for this machine, so that no one pays for a compiler at run time.
publish() {
    compile published "$2" publish "$1" --use-current-runtime -p:PublishReadyToRun=true
}

# compile KIND OUTPUT_DLL VERB PROJECT_PATH [ARGUMENT]...
compile() {
    local kind=$1 output=$2 verb=$3 project=$4 stamp log lock
    shift 4
    stamp=$repo/artifacts/stamps/$(basename "$project").$kind
    is_current "$output" "$stamp" "$project" && return 0
    command -v dotnet >/dev/null || { echo "The .NET 10 SDK is needed: no 'dotnet' on the PATH." >&2; exit 1; }
    mkdir -p "$repo/artifacts/stamps"
    # One build at a time in a checkout: two would trip over each other's files. Whoever had to wait may find it done.
    exec {lock}>"$repo/artifacts/stamps/lock"
    flock "$lock"
    if is_current "$output" "$stamp" "$project"; then
        exec {lock}>&-
        return 0
    fi
    log=$(mktemp)
    touch "$stamp.new"
    echo "Building $(basename "$project" .csproj) (the first time takes a minute or two) …" >&2
    # The lock is not handed on: the compiler server that a build leaves behind would hold it for another ten minutes.
    if ! dotnet "$verb" "$repo/$project" -c Release -v quiet --nologo "$@" >"$log" 2>&1 {lock}>&-; then
        cat "$log" >&2
        rm -f "$log" "$stamp.new"
        exit 1
    fi
    rm -f "$log"
    mv "$stamp.new" "$stamp"
    exec {lock}>&-
}

# is_current OUTPUT_DLL STAMP PROJECT_PATH: whether no source is newer than the last build.
is_current() {
    [ -f "$1" ] && [ -f "$2" ] && [ -z "$(newer_sources "$2" "$3")" ]
}

# newer_sources STAMP PROJECT_PATH: prints one source of the project that is newer than the stamp, if there is one. A folder is newer
# when a file in it has gone; what npm brings is no source, nor is the folder that it brings it to.
newer_sources() {
    local sources=("$repo/src")
    case $2 in
        src/*) ;; # The product refers to nothing else.
        *) sources+=("$repo/tests" "$repo/benchmarks") ;;
    esac
    find "${sources[@]}" "$repo/Directory.Build.props" "$repo/Directory.Packages.props" \
        "$repo/global.json" "$repo/.editorconfig" "$repo/BannedSymbols.txt" "$repo/eng/build.sh" \
        -name node_modules -prune -o -newer "$1" ! -name '*.md' ! \( -type d -exec test -d '{}/node_modules' \; \) -print -quit
}
