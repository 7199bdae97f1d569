# Sourced by package.sh: an archive, to be unpacked and run anywhere.

# make_archive PUBLISHED ARCH VERSION TIME OUTPUT: prints the archive's path.
make_archive() {
    local published=$1 name=millrace-$3-linux-$2 time=$4 output=$5 folder text
    folder=$(mktemp -d)
    place_program "$published" "$folder/$name"
    for text in LICENSE NOTICE THIRD-PARTY-NOTICES.md; do
        if [ -f "$repo/$text" ]; then
            cp "$repo/$text" "$folder/$name/"
        fi
    done
    # Whoever unpacks it has no checkout, and nothing to build.
    cp "$repo/eng/PACKAGE.md" "$folder/$name/README.md"
    tar --create --directory "$folder" --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner "$name" | gzip -n -9 >"$output/$name.tar.gz.new"
    mv "$output/$name.tar.gz.new" "$output/$name.tar.gz"
    rm -rf "$folder"
    echo "$output/$name.tar.gz"
}
