package datasets

import (
	"path"
	"slices"
	"strings"
)

// unread are forms of whole sets that nothing here reads, by the extensions of their files, with what to do about them.
var unread = []struct {
	extensions []string
	what       string // in the plural
	advice     string
}{
	{[]string{".arrow"}, "Arrow files of Hugging Face's datasets", "save the set as Parquet, with its to_parquet"},
	{[]string{".tfrecord", ".tfrecords"}, "TensorFlow's records", writeOut},
	{[]string{".mdb", ".lmdb"}, "LMDB databases", writeOut},
	{[]string{".rec"}, "MXNet's records", writeOut},
	{[]string{".h5", ".hdf5", ".mat", ".npy", ".npz", ".pkl", ".pickle"}, "files of arrays", writeOut},
	{[]string{".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"}, "compressed archives", "unpack them"},
}

// writeOut is the advice for images within files of their own kind.
const writeOut = "write their images out into class folders or WebDataset's shards"

// unreadForms says of files of some extensions that their forms are not read and what to do: "Arrow files of Hugging Face's
// datasets are not read: save the set as Parquet, with its to_parquet"; "" for other files. Shards of TensorFlow's records have
// their numbers behind the extension.
func unreadForms(extensions ...string) string {
	var all []string
	for _, form := range unread {
		if slices.ContainsFunc(extensions, func(ext string) bool {
			ext, _, _ = strings.Cut(strings.ToLower(ext), "-")
			return slices.Contains(form.extensions, ext)
		}) {
			all = append(all, form.what+" are not read: "+form.advice)
		}
	}
	return strings.Join(all, "; ")
}

// unreadFile is unreadForms of a file by its name.
func unreadFile(name string) string { return unreadForms(path.Ext(name)) }
