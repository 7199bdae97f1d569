# Sourced by ./millrace behind build.sh: makes an archive of the program with all that it needs, to be unpacked and run elsewhere.

# package [--arch x64|arm64] [--output FOLDER]: prints the archive's path.
package() {
    local arch=x64 output=$repo/artifacts/package
    while [ $# -gt 0 ]; do
        case $1 in
            --arch) arch=${2:-}; shift 2 || shift ;;
            --output) output=${2:-}; shift 2 || shift ;;
            -h | --help) echo "millrace package [--arch x64|arm64] [--output FOLDER]: makes millrace-VERSION-linux-ARCH.tar.gz (by default in artifacts/package), which needs no .NET"; return 0 ;;
            *) echo "millrace: package takes --arch x64|arm64 and --output FOLDER, and not '$1'." >&2; return 2 ;;
        esac
    done
    case $arch in
        x64 | arm64) ;;
        *) echo "millrace: --arch is x64 or arm64, and not '$arch'." >&2; return 2 ;;
    esac
    if [ -z "$output" ]; then
        echo "millrace: --output names the folder that the archive is written to." >&2
        return 2
    fi

    local project=src/Millrace.Server/Millrace.Server.csproj system=linux-$arch
    # Outputs of its own: what is trimmed and what is not must not meet.
    local published=$repo/artifacts/publish/Millrace.Server/package-$system
    rm -rf "$published"
    rm -f "$repo/artifacts/stamps/$(basename "$project").packaged-$system"
    compile "packaged-$system" "$published/millrace.dll" publish "$project" -r "$system" \
        -p:PublishReadyToRun=true -p:MillracePackage=true -p:ArtifactsPivots="package-$system"

    local version name folder time
    version=$(dotnet msbuild "$repo/$project" -getProperty:Version)
    name=millrace-$version-$system
    folder=$(mktemp -d)
    cp -r "$published" "$folder/$name"
    find "$folder/$name" -type f ! -name millrace ! -name createdump -exec chmod 644 {} +
    local text
    for text in LICENSE NOTICE THIRD-PARTY-NOTICES.md; do
        if [ -f "$repo/$text" ]; then
            cp "$repo/$text" "$folder/$name/"
        fi
    done
    # Whoever unpacks it has no checkout, and nothing to build.
    cp "$repo/eng/PACKAGE.md" "$folder/$name/README.md"

    # The same files make the same archive, whoever packs them and when: the time is that of the commit.
    time=$(git -C "$repo" log -1 --format=%ct 2>/dev/null) || time=0
    mkdir -p "$output"
    tar --create --directory "$folder" --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner "$name" | gzip -n -9 >"$output/$name.tar.gz.new"
    mv "$output/$name.tar.gz.new" "$output/$name.tar.gz"
    rm -rf "$folder"
    echo "$output/$name.tar.gz"
}
