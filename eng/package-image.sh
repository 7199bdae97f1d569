# Sourced by package.sh: an image for containers, as an archive in OCI's layout, made without a daemon and without an image to begin with.
# Its root is what the program needs of this machine's Debian (mmdebstrap unpacks it, and runs nothing of it, so that any architecture will do);
# umoci lays that and the program into an image.

# Who the program runs as: a number that no Debian gives out by itself, and that Kubernetes can see to be no root's.
image_user=10001

# make_image PUBLISHED ARCH VERSION TIME OUTPUT: prints the archive's path.
make_image() {
    local published=$1 arch=$2 version=$3 time=$4 output=$5
    local name=millrace-$version-linux-$arch.oci.tar folder image
    [ "$arch" != x64 ] || arch=amd64
    folder=$(mktemp -d)
    image=$folder/layout:$version
    unpack_system "$folder/system" "$arch" "$time"

    place_program "$published" "$folder/program/usr/lib/millrace"
    # For a library that no Debian has had since 11.
    rm -f "$folder/program/usr/lib/millrace/libcoreclrtraceptprovider.so"
    # Of two librdkafkas, for machines with and without libsasl2, the image needs the latter.
    if [ -e "$folder/program/usr/lib/millrace/centos8-librdkafka.so" ]; then
        rm "$folder/program/usr/lib/millrace/librdkafka.so"
    fi
    mkdir -p "$folder/program/usr/bin" "$folder/program/usr/share/doc/millrace"
    ln -s ../lib/millrace/millrace "$folder/program/usr/bin/millrace"
    install -m 644 "$repo/LICENSE" "$repo/NOTICE" "$repo/THIRD-PARTY-NOTICES.md" "$folder/program/usr/share/doc/millrace"

    local day layer
    day=$(date --utc --date "@$time" +%FT%TZ)
    umoci init --layout "$folder/layout"
    umoci new --image "$image"
    for layer in system program; do
        pack "$folder/$layer" "$time" >"$folder/$layer.tar"
        umoci raw add-layer --image "$image" --history.created "$day" --history.created_by "millrace package --image: $layer" "$folder/$layer.tar"
    done
    umoci config --image "$image" --no-history --created "$day" --os linux --architecture "$arch" \
        --config.user "$image_user:$image_user" --config.workingdir / \
        --config.entrypoint /usr/bin/millrace --config.entrypoint start \
        --config.exposedports 9092/tcp --config.exposedports 9093/tcp --config.exposedports 9464/tcp \
        --config.env PATH=/usr/bin:/bin \
        --config.label org.opencontainers.image.title=Millrace \
        --config.label "org.opencontainers.image.description=Streaming platform on shared storage that speaks Kafka's protocol" \
        --config.label "org.opencontainers.image.version=$version" \
        --config.label org.opencontainers.image.licenses=Apache-2.0
    umoci gc --layout "$folder/layout"

    pack "$folder/layout" "$time" >"$output/$name.new"
    mv "$output/$name.new" "$output/$name"
    rm -rf "$folder"
    echo "$output/$name"
}

# unpack_system FOLDER ARCH TIME: the root that the program runs in: C and C++ libraries, OpenSSL, certificates of authorities, time zones, and a
# shell with a few commands for hooks and for whoever looks into a container.
unpack_system() {
    local root=$1 arch=$2 time=$3 sources=() source folder suite
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # Debian's own, and no repositories of others.
    for source in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
        [ ! -s "$source" ] || sources+=("$source")
    done
    # The list of packages is what scanners for vulnerabilities read: each says for itself what it is.
    SOURCE_DATE_EPOCH=$time mmdebstrap --quiet --variant=extract --format=directory --architectures="$arch" \
        --include=libc6,libgcc-s1,libstdc++6,libssl3,ca-certificates,tzdata,busybox \
        --extract-hook='for deb in "$1"/var/cache/apt/archives/*.deb; do
            install -d "$1/var/lib/dpkg/status.d" && dpkg-deb --field "$deb" >"$1/var/lib/dpkg/status.d/$(dpkg-deb --field "$deb" Package)"; done' \
        "$suite" "$root" "${sources[@]}" >&2

    # No package's scripts have run: this is what they would have done.
    for folder in bin sbin lib lib64; do
        [ -d "$root/$folder" ] || [ ! -d "$root/usr/$folder" ] || ln -s "usr/$folder" "$root/$folder"
    done
    for source in sh cat env ls ps sleep timeout; do
        ln -s busybox "$root/bin/$source"
    done
    (cd "$root/usr/share/ca-certificates" && LC_ALL=C sort -z <(find . -name '*.crt' -print0) | xargs -0 cat) >"$root/etc/ssl/certs/ca-certificates.crt"
    echo "millrace:x:$image_user:$image_user:Millrace:/:/bin/sh" >"$root/etc/passwd"
    echo "millrace:x:$image_user:" >"$root/etc/group"
    echo "hosts: files dns" >"$root/etc/nsswitch.conf"

    # And what no broker needs goes: other packages' tools, and what only apt and dpkg read.
    find "$root/etc" -mindepth 1 -maxdepth 1 ! -name passwd ! -name group ! -name nsswitch.conf ! -name ssl ! -name 'ld.so*' -exec rm -rf {} +
    find "$root/usr/share" -mindepth 1 -maxdepth 1 ! -name ca-certificates ! -name zoneinfo ! -name doc -exec rm -rf {} +
    find "$root/usr/share/doc" -type f ! -name copyright -delete
    find "$root/usr/bin" "$root/usr/sbin" -mindepth 1 ! -name busybox ! -lname busybox -delete
    find "$root/var" -mindepth 1 ! -path "$root/var/lib" ! -path "$root/var/lib/dpkg" ! -path "$root/var/lib/dpkg/status.d*" -delete
    rm -rf "$root/dev" "$root/var/cache"
    install -d "$root/dev" "$root/proc" "$root/run" "$root/sys"
    install -d -m 1777 "$root/tmp"
}

# pack FOLDER TIME: as a tar that is the same for the same files.
pack() {
    tar --create --directory "$1" --sort=name --mtime="@$2" --owner=0 --group=0 --numeric-owner --format=gnu .
}
