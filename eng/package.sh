# Sourced by ./millrace behind build.sh: makes a package of the program with all that it needs, for machines without .NET.

# package [--deb|--image] [--arch x64|arm64] [--output FOLDER]: prints the path of what it made.
package() {
    local kind=archive arch=x64 output=$repo/artifacts/package
    while [ $# -gt 0 ]; do
        case $1 in
            --deb) kind=deb; shift ;;
            --image) kind=image; shift ;;
            --arch) arch=${2:-}; shift 2 || shift ;;
            --output) output=${2:-}; shift 2 || shift ;;
            -h | --help)
                echo "millrace package [--deb|--image] [--arch x64|arm64] [--output FOLDER]: makes millrace-VERSION-linux-ARCH.tar.gz, with --deb" \
                    "millrace_VERSION_ARCH.deb, or with --image millrace-VERSION-linux-ARCH.oci.tar, an image for containers in OCI's layout" \
                    "(by default in artifacts/package), which need no .NET"
                return 0
                ;;
            *) echo "millrace: package takes --deb, --image, --arch x64|arm64 and --output FOLDER, and not '$1'." >&2; return 2 ;;
        esac
    done
    case $arch in
        x64 | arm64) ;;
        *) echo "millrace: --arch is x64 or arm64, and not '$arch'." >&2; return 2 ;;
    esac
    if [ -z "$output" ]; then
        echo "millrace: --output names the folder that the package is written to." >&2
        return 2
    fi
    if [ $kind = deb ] && ! command -v dpkg-deb >/dev/null; then
        echo "millrace: --deb needs dpkg-deb, of Debian's package dpkg." >&2
        return 1
    fi
    if [ $kind = image ] && ! { command -v mmdebstrap && command -v umoci; } >/dev/null; then
        echo "millrace: --image needs mmdebstrap and umoci, of Debian's packages of these names, on Debian 12 or newer." >&2
        return 1
    fi

    local project=src/Millrace.Server/Millrace.Server.csproj system=linux-$arch
    # Outputs of its own: what is trimmed and what is not must not meet.
    local published=$repo/artifacts/publish/Millrace.Server/package-$system
    rm -rf "$published"
    rm -f "$repo/artifacts/stamps/$(basename "$project").packaged-$system"
    compile "packaged-$system" "$published/millrace.dll" publish "$project" -r "$system" \
        -p:PublishReadyToRun=true -p:MillracePackage=true -p:ArtifactsPivots="package-$system"

    # The same files make the same package, whoever packs them and when: the time is that of the commit.
    local version time
    version=$(dotnet msbuild "$repo/$project" -getProperty:Version)
    time=$(git -C "$repo" log -1 --format=%ct 2>/dev/null) || time=0
    mkdir -p "$output"
    . "$repo/eng/package-$kind.sh"
    "make_$kind" "$published" "$arch" "$version" "$time" "$output"
}

# place_program PUBLISHED FOLDER: the program's files as they are to be unpacked.
place_program() {
    mkdir -p "$2"
    cp -r "$1/." "$2"
    find "$2" -type d -exec chmod 755 {} +
    find "$2" -type f -exec chmod 644 {} +
    chmod 755 "$2/millrace" "$2/createdump"
}
