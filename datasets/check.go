package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"zoobench/datasets/decode"
)

// A Report is what Check found.
type Report struct {
	Items     int
	Unlabeled int // items without any right answer
	Classes   int // classes that some item has
	FewestOf  int // items of the rarest of them, by their first labels
	MostOf    int // and of the most frequent
	Bytes     int64
	Formats   map[string]int // readable images by format, "jpeg" and so on

	Notes decode.NoteCounts // what is out of the ordinary about readable images

	Unreadable []Fault
	Duplicates [][]string // items with the same bytes, by name, two or more a group
	Hash       string     // the content hash, as Loader.Hash gives it
}

// A Fault is an item that cannot be read or decoded.
type Fault struct {
	Name string
	Err  error
}

// A checked is what reading and decoding one item showed.
type checked struct {
	digest  [sha256.Size]byte // of item and bytes
	content [sha256.Size]byte
	bytes   int
	format  string
	notes   decode.Notes
	err     error
}

// Check reads and decodes every image of a source, all of its pixels, on all
// processors. Step, which may be nil, is called with the number of images that
// are done. The error is the context's; what is wrong with images is in the
// report.
func Check(ctx context.Context, src Source, step func(done, total int)) (*Report, error) {
	total := src.Len()
	outcomes := make([]checked, total)
	var next atomic.Int64
	var done int
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			var decoder decode.Decoder
			var buf []byte
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= total {
					return
				}
				outcomes[i], buf = check(src, i, &decoder, buf)
				mu.Lock()
				if done++; step != nil {
					step(done, total)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("datasets: stopped after %d of %d items: %w", done, total, err)
	}
	return newReport(src, outcomes), nil
}

// check reads and decodes one item. It returns the buffer that it read into, for
// the next.
func check(src Source, i int, decoder *decode.Decoder, buf []byte) (checked, []byte) {
	var c checked
	data, err := src.Read(i, buf)
	if err == nil {
		buf = data
		c.bytes, c.content = len(data), sha256.Sum256(data)
		var m *decode.Image
		if m, err = decoder.Decode(data); err == nil {
			c.notes = m.Notes
			info, _ := decode.Inspect(data) // of a file that has just been decoded
			c.format = info.Format
		}
	}
	c.digest, c.err = digest(src.Item(i), data), err
	return c, buf
}

// newReport sums up what was found of each item.
func newReport(src Source, outcomes []checked) *Report {
	r := &Report{Items: len(outcomes), Formats: map[string]int{}, Notes: decode.NoteCounts{}}
	all := sha256.New()
	perClass := map[int]int{}
	byContent := map[[sha256.Size]byte][]string{}
	for i := range outcomes {
		c, item := &outcomes[i], src.Item(i)
		all.Write(c.digest[:])
		r.Bytes += int64(c.bytes)
		if len(item.Labels) == 0 {
			r.Unlabeled++
		} else {
			perClass[item.Labels[0]]++
		}
		if c.err != nil {
			r.Unreadable = append(r.Unreadable, Fault{item.Name, c.err})
		} else {
			r.Formats[c.format]++
			r.Notes.Add(c.notes)
		}
		if c.bytes > 0 {
			byContent[c.content] = append(byContent[c.content], item.Name)
		}
	}
	r.Hash = hex.EncodeToString(all.Sum(nil))
	for _, group := range byContent {
		if len(group) > 1 {
			r.Duplicates = append(r.Duplicates, group)
		}
	}
	slices.SortFunc(r.Duplicates, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	r.Classes = len(perClass)
	for _, n := range perClass {
		r.MostOf = max(r.MostOf, n)
		if r.FewestOf == 0 || n < r.FewestOf {
			r.FewestOf = n
		}
	}
	return r
}
