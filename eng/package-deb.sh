# Sourced by package.sh: a package for Debian and its kin, with a unit for systemd. What it holds beside the program lies in eng/deb.

# make_deb PUBLISHED ARCH VERSION TIME OUTPUT: prints the package's path.
make_deb() {
    local published=$1 arch=$2 version=$3 time=$4 output=$5
    local parts=$repo/eng/deb completions=$repo/src/Millrace.Server/Cli/Completion root doc name
    # Debian's names: of the machine, and of a version before the one that it leads to.
    [ "$arch" != x64 ] || arch=amd64
    version=${version/-/\~}
    name=millrace_${version}_$arch.deb
    root=$(mktemp -d)
    chmod 755 "$root"

    place_program "$published" "$root/usr/lib/millrace"
    # For a library that no Debian has had since 11.
    rm -f "$root/usr/lib/millrace/libcoreclrtraceptprovider.so"
    mkdir -p "$root/usr/bin"
    ln -s ../lib/millrace/millrace "$root/usr/bin/millrace"
    install -D -m 644 "$parts/millrace.service" "$root/usr/lib/systemd/system/millrace.service"
    install -D -m 644 "$parts/server.properties" "$root/etc/millrace/server.properties"
    # Nobody but root, and the broker by way of systemd, is to read credentials.
    install -D -m 600 "$parts/environment" "$root/etc/millrace/environment"

    install -D -m 644 "$completions/completion.bash" "$root/usr/share/bash-completion/completions/millrace"
    install -D -m 644 "$completions/completion.fish" "$root/usr/share/fish/vendor_completions.d/millrace.fish"
    # zsh loads it when it is first asked for, and registers it by its first line: a file with more than the function would only define it then.
    install -d "$root/usr/share/zsh/vendor-completions"
    grep -v '^compdef ' "$completions/completion.zsh" >"$root/usr/share/zsh/vendor-completions/_millrace"
    chmod 644 "$root/usr/share/zsh/vendor-completions/_millrace"

    doc=$root/usr/share/doc/millrace
    install -D -m 644 "$parts/README.Debian" "$doc/README.Debian"
    install -m 644 "$parts/copyright" "$repo/NOTICE" "$repo/THIRD-PARTY-NOTICES.md" "$doc"

    install -d "$root/DEBIAN"
    install -m 755 "$parts/postinst" "$parts/prerm" "$parts/postrm" "$root/DEBIAN"
    install -m 644 "$parts/conffiles" "$root/DEBIAN"
    (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f 1)/" \
        "$parts/control" >"$root/DEBIAN/control"
    chmod 644 "$root/DEBIAN/md5sums" "$root/DEBIAN/control"

    find "$root" -exec touch --no-dereference --date "@$time" {} +
    SOURCE_DATE_EPOCH=$time dpkg-deb --root-owner-group -Zxz --build "$root" "$output/$name.new" >/dev/null
    mv "$output/$name.new" "$output/$name"
    rm -rf "$root"
    echo "$output/$name"
}
