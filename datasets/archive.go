package datasets

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A span is where an item's bytes lie: in which archive, from which byte on.
type span struct {
	archive      int
	offset, size int64
	packed       int64 // bytes that a zip archive has of it, deflated; 0 where they lie there as they are
}

// openArchives opens uncompressed tar archives, and zip archives, as they are; nothing is unpacked. They
// hold one of four things: pairs of WebDataset, told by members such as key.cls
// or key.json beside key.jpg; class folders, as OpenFolder takes them, below
// whatever folders all members share (ImageNetV2); images that o.Labels
// labels, as openFlat does; or the images of ILSVRC-2012's validation set,
// whose labels are built in. Several archives are shards of one set, in the
// order given; an item's name then begins with its shard's, but for those that a
// label file tells apart by their names alone. Links count as the
// files that they lead to, the last member of a name as the only one, and hidden
// files and folders not at all.
//
// With o.Index, the list of an archive's members is kept in that folder and
// taken from there for as long as the archive's size and time stay the same.
func openArchives(files []string, o Options) (*Files, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("datasets: no archives")
	}
	f := &Files{root: files[0]}
	err := f.addArchives(files, o)
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Files) addArchives(files []string, o Options) error {
	var all []member
	for i, file := range files {
		archive, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("datasets: %w", err)
		}
		f.archives = append(f.archives, archive)
		members, err := listMembers(archive, o.Index)
		if err != nil {
			return fmt.Errorf("datasets: %s: %w", file, err)
		}
		for _, m := range members {
			m.archive = i
			if len(files) > 1 {
				m.shard = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)) + "/"
			}
			all = append(all, m)
		}
	}
	var images []member
	others := 0
	for _, m := range all {
		if isImage(path.Base(m.name)) {
			images = append(images, m)
		} else if strings.HasSuffix(m.name, ".tar") {
			others++
		}
	}
	if len(images) == 0 && others > 0 {
		return fmt.Errorf("datasets: %s: no images, but %d archives in it; unpack it once", files[0], others)
	}
	if len(images) == 0 {
		return fmt.Errorf("datasets: %s: no images among %d members", files[0], len(all))
	}
	switch {
	case o.Labels != "":
		return f.labelMembers(images, o)
	case hasPairs(all, images):
		return f.pairs(all, o)
	}
	if items, ok := validationItems(names(images), o.Classes); ok {
		f.take(images, items)
		f.Reading = builtIn
		return nil
	}
	for _, m := range all {
		if !isImage(path.Base(m.name)) && !isText(m.name) {
			f.passOver(m.name)
		}
	}
	return f.classMembers(files[0], images, o)
}

// listMembers lists an archive's files. A zip archive has such a list at its own end.
func listMembers(archive *os.File, index string) ([]member, error) {
	if isZip(archive) {
		return readZip(archive)
	}
	return readIndex(archive, index)
}

// take makes items of members of the same order.
func (f *Files) take(members []member, items []Item) {
	for i, m := range members {
		items[i].Name = m.shard + items[i].Name
		f.items = append(f.items, items[i])
		f.spans = append(f.spans, m.span)
	}
}

func names(members []member) []string {
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = m.name
	}
	return list
}

// labelMembers labels images by a label file. It may name them by their paths
// in the archive, with or without the folders that all members share, and by
// their names alone where no two are the same.
func (f *Files) labelMembers(images []member, o Options) error {
	slices.SortStableFunc(images, func(a, b member) int {
		return cmp.Or(strings.Compare(path.Base(a.name), path.Base(b.name)), strings.Compare(a.name, b.name))
	})
	const several = -1
	byName := make(map[string]int, 2*len(images))
	put := func(name string, i int) {
		if j, ok := byName[name]; ok && j != i {
			i = several
		}
		byName[name] = i
	}
	top := commonFolder(names(images))
	bases := map[string]int{}
	for i, m := range images {
		for _, name := range []string{m.name, m.name[len(top):], m.shard + m.name, m.shard + m.name[len(top):]} {
			put(name, i)
		}
		bases[path.Base(m.name)]++
	}
	items := make([]string, len(images)) // their names: the shortest that tell them all apart
	index := make(map[string]int, len(images))
	for i, m := range images {
		base := path.Base(m.name)
		if _, ok := byName[base]; !ok && bases[base] == 1 {
			byName[base] = i
		} else if !ok {
			byName[base] = several
		}
		items[i] = base
		if len(bases) < len(images) {
			items[i] = m.shard + m.name[len(top):]
		}
		if _, ok := index[items[i]]; ok {
			return fmt.Errorf("datasets: %s: two images have the name %s: a label file cannot tell them apart", f.root, items[i])
		}
		index[items[i]] = i
	}
	find := func(name string) (string, error) {
		i, ok := byName[strings.TrimPrefix(path.Clean(name), "/")]
		if !ok {
			return "", nil
		}
		if i == several {
			return "", fmt.Errorf("two images of %s have the name %s, want their paths in the archive", f.root, name)
		}
		return items[i], nil
	}
	if err := f.labelled(items, find, o); err != nil {
		return err
	}
	for _, item := range f.items {
		f.spans = append(f.spans, images[index[item.Name]].span)
	}
	return nil
}

// classMembers labels images by the folders that they lie in.
func (f *Files) classMembers(file string, images []member, o Options) error {
	top := commonFolder(names(images))
	var folders []string
	seen := map[string]bool{}
	for _, m := range images {
		class, _, ok := strings.Cut(m.name[len(top):], "/")
		if !ok {
			return fmt.Errorf("datasets: %s: images without class folders (%s, for example), want a folder for each class, WebDataset's pairs "+
				"or a label file", file, m.name)
		}
		if !seen[class] {
			seen[class] = true
			folders = append(folders, class)
		}
	}
	slices.Sort(folders)
	labels, err := f.folderLabels(folders, o)
	if err != nil {
		return fmt.Errorf("datasets: %s: %w", file, err)
	}
	f.byFolder = true
	items := make([]Item, len(images))
	label := func(m member) int {
		class, _, _ := strings.Cut(m.name[len(top):], "/")
		return labels[class]
	}
	slices.SortStableFunc(images, func(a, b member) int {
		if d := label(a) - label(b); d != 0 {
			return d
		}
		return strings.Compare(a.name, b.name)
	})
	for i, m := range images {
		items[i] = Item{Name: m.name[len(top):], Labels: []int{label(m)}}
	}
	f.take(images, items)
	return nil
}

// commonFolder is the folders above the classes: those that all names share, but
// for the last where nothing else stands between it and the images.
func commonFolder(names []string) string {
	common := path.Dir(names[0]) + "/"
	deepest := 0
	for _, name := range names {
		for !strings.HasPrefix(name, common) {
			common = path.Dir(strings.TrimSuffix(common, "/")) + "/"
			if common == "./" {
				return ""
			}
		}
		deepest = max(deepest, strings.Count(name, "/"))
	}
	if common == "./" {
		return ""
	}
	if deepest == strings.Count(common, "/") { // one class, whose folder is the common one
		if common = path.Dir(strings.TrimSuffix(common, "/")) + "/"; common == "./" {
			return ""
		}
	}
	return common
}

// read reads a span of an archive.
func (f *Files) read(s span, buf []byte) ([]byte, error) {
	if s.size > maxFileBytes {
		return nil, fmt.Errorf("datasets: file of %d bytes, want at most %d", s.size, maxFileBytes)
	}
	if n := int(s.size); cap(buf) < n {
		buf = make([]byte, n)
	} else {
		buf = buf[:n]
	}
	if s.packed > 0 {
		return buf, s.inflate(f.archives[s.archive], buf)
	}
	if n, err := f.archives[s.archive].ReadAt(buf, s.offset); n < len(buf) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("datasets: read: %w", err)
	}
	return buf, nil
}

// maxShards bounds what a pattern of shards may stand for.
const maxShards = 100_000

// expandShards are the files that a name with a range in braces stands for, as
// WebDataset writes it: val-{000..049}.tar. A name without one stands for
// itself.
func expandShards(pattern string) ([]string, error) {
	open := strings.LastIndex(pattern, "{")
	if open < 0 {
		return []string{pattern}, nil
	}
	length := strings.Index(pattern[open:], "}")
	if length < 0 {
		return []string{pattern}, nil
	}
	from, to, ok := strings.Cut(pattern[open+1:open+length], "..")
	first, err1 := strconv.ParseUint(from, 10, 31)
	last, err2 := strconv.ParseUint(to, 10, 31)
	if !ok || err1 != nil || err2 != nil {
		return []string{pattern}, nil
	}
	if last < first || last-first >= maxShards {
		return nil, fmt.Errorf("datasets: %s: shards %s to %s, want 1 to %d of them in ascending order", pattern, from, to, maxShards)
	}
	var files []string
	for i := first; i <= last; i++ {
		files = append(files, fmt.Sprintf("%s%0*d%s", pattern[:open], len(from), i, pattern[open+length+1:]))
	}
	return files, nil
}

// archivesIn lists the tar archives of a folder that has nothing else to offer:
// no class folders and no images.
func archivesIn(root string) []string {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	var files []string
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir() || isImage(e.Name()):
			return nil
		case strings.EqualFold(filepath.Ext(e.Name()), ".tar"):
			files = append(files, filepath.Join(root, e.Name()))
		}
	}
	return files
}

// isArchive reports whether a path is for openArchives: a file, or a range of them.
func isArchive(root string) bool {
	if files, err := expandShards(root); err != nil || len(files) != 1 || files[0] != root {
		return true
	}
	info, err := os.Stat(root)
	return err == nil && info.Mode().IsRegular()
}

// errNoArchive is of a file that nothing says more about.
var errNoArchive = errors.New("neither a tar archive nor a folder, want a folder of images, or a tar or zip archive")

// checkArchive says, by its first bytes, why a file is no tar archive that can be
// read where it lies.
func checkArchive(head []byte) error {
	for _, known := range []struct{ magic, name, command string }{
		{"\x1f\x8b", "gzip", "gunzip"}, {"BZh", "bzip2", "bunzip2"}, {"\xfd7zXZ", "xz", "unxz"}, {"\x28\xb5\x2f\xfd", "zstd", "unzstd"},
	} {
		if bytes.HasPrefix(head, []byte(known.magic)) {
			return fmt.Errorf("compressed with %s: single images cannot be read from it; uncompress it with %s", known.name, known.command)
		}
	}
	if len(head) < 512 || string(head[257:262]) != "ustar" {
		return errNoArchive
	}
	return nil
}
