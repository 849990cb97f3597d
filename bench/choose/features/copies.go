package features

import (
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// A Fingerprint is what the copies of an image have nearly in common.
type Fingerprint struct {
	// Hash has a bit for each of the 64 lowest frequencies of the thumb, but the constant one: set where the coefficient is
	// above zero. Brightness and contrast turn none of them, cropping and turning by a little only few, and mirroring those
	// of the odd columns. It is zero where the thumb shows nothing.
	Hash uint64 `json:"phash"`
	// Thumb is the image in 32×32 grey levels, by a filter that leaves nothing finer: it decides what the hash proposes.
	Thumb []byte `json:"thumb,omitempty"`
	// Tint is how blue and how red each of 4×4 parts is beyond its grey, 128 for neither: pairs by rows. It separates
	// drawings that differ in colour alone.
	Tint []byte `json:"tint,omitempty"`
}

// Sizes of fingerprints, and what the hash proposes.
const (
	thumbSize  = 32
	tintSide   = 4
	hashSide   = 8
	oddBits    = 0xaaaaaaaaaaaaaaaa // of Hash: frequencies that change their sign in a mirror
	nearBits   = 18                 // of Hash, of which different photographs have 32 in the mean
	nearCoarse = 0.75               // correlation of 6×6 parts of the thumbs
	nearLevels = 8                  // of grey, between images that show nothing
)

// fingerprint takes the fingerprint of an image of shape (32, 32, 3), values from −1 to 1.
func fingerprint(rgb []float32) Fingerprint {
	const n, part = thumbSize, thumbSize / tintSide
	f := Fingerprint{Thumb: make([]byte, n*n), Tint: make([]byte, 2*tintSide*tintSide)}
	var grey [n][n]float64
	var tint [2 * tintSide * tintSide]float64
	level := func(v float64) byte { return byte(math.Round(min(max(v, 0), 255))) }
	for i := range n * n {
		r, g, b := 127.5*(1+float64(rgb[3*i])), 127.5*(1+float64(rgb[3*i+1])), 127.5*(1+float64(rgb[3*i+2]))
		luma := 0.299*r + 0.587*g + 0.114*b
		grey[i/n][i%n], f.Thumb[i] = luma, level(luma)
		at := 2 * (i/n/part*tintSide + i%n/part)
		tint[at] += 0.564 * (b - luma) / (part * part)
		tint[at+1] += 0.713 * (r - luma) / (part * part)
	}
	for i, v := range tint {
		f.Tint[i] = level(v + 128)
	}
	if newLook(&f).flat {
		return f
	}
	var cosine [hashSide][n]float64
	for u := range cosine {
		for x := range n {
			cosine[u][x] = math.Cos(math.Pi * float64(u) * (float64(x) + 0.5) / n)
		}
	}
	var rows [n][hashSide]float64
	for y := range n {
		for u := range hashSide {
			for x, v := range grey[y] {
				rows[y][u] += v * cosine[u][x]
			}
		}
	}
	for v := range hashSide {
		for u := range hashSide {
			sum := 0.0
			for y := range n {
				sum += rows[y][u] * cosine[v][y]
			}
			if u+v > 0 && sum > 0 {
				f.Hash |= 1 << (hashSide*v + u)
			}
		}
	}
	return f
}

// A look is a fingerprint made ready for comparing it with many.
type look struct {
	*Fingerprint
	flat   bool                             // shows nothing
	level  float64                          // the mean
	coarse [coarseSide * coarseSide]float32 // the inside in few parts, of mean 0 and length 1
}

const (
	coarseSide = 6
	coarsePart = thumbSize / (coarseSide + 2) // a part on each side is left out
)

func newLook(f *Fingerprint) look {
	l := look{Fingerprint: f}
	var all variance
	for _, v := range f.Thumb {
		all.add(float64(v))
	}
	l.level, l.flat = all.sum/all.n, all.value() < flatLevels*flatLevels
	var parts variance
	var sums [len(l.coarse)]float64
	for i := range sums {
		y, x := (i/coarseSide+1)*coarsePart, (i%coarseSide+1)*coarsePart
		for k := range coarsePart * coarsePart {
			sums[i] += float64(f.Thumb[(y+k/coarsePart)*thumbSize+x+k%coarsePart])
		}
		parts.add(sums[i])
	}
	if length := math.Sqrt(parts.value() * parts.n); length > 0 {
		for i, v := range sums {
			l.coarse[i] = float32((v - parts.sum/parts.n) / length)
		}
	}
	return l
}

// mayBe reports whether another look, mirrored or as it is, is worth laying over this one. Of looks that show nothing it
// reports whether they are the same.
func (l *look) mayBe(other *look, mirrored bool) bool {
	if l.flat || other.flat {
		_, _, difference := tints(l.Tint, other.Tint, 1, false)
		return l.flat && other.flat && math.Abs(l.level-other.level) <= nearLevels && difference <= nearLevels
	}
	sum := float32(0)
	for y := 0; y < len(l.coarse); y += coarseSide {
		for x := range coarseSide {
			at := y + x
			if mirrored {
				at = y + coarseSide - 1 - x
			}
			sum += l.coarse[y+x] * other.coarse[at]
		}
	}
	return sum >= nearCoarse
}

// sameTint reports whether two images have the same colours, or one of them has none; gain is the second one's contrast
// over the first one's.
func sameTint(a, b []byte, gain float64, mirrored bool) bool {
	const least, none, most = 10, 3, 0.6
	one, other, difference := tints(a, b, gain, mirrored)
	return min(one, other) < none || difference <= most*max(one, other, least)
}

// tints are how strong the colours of two images are and how far they are apart, in levels.
func tints(a, b []byte, gain float64, mirrored bool) (one, other, difference float64) {
	root := math.Sqrt(gain)
	for i, v := range a {
		at := i
		if mirrored {
			at ^= 2 * (tintSide - 1) // the part at the other end of the row
		}
		p, q := (float64(v)-128)*root, (float64(b[at])-128)/root
		one, other, difference = one+p*p, other+q*q, difference+(p-q)*(p-q)
	}
	mean := func(squares float64) float64 { return math.Sqrt(squares / float64(len(a))) }
	return mean(one), mean(other), mean(difference)
}

// A proposal is an image that another one may be a copy of.
type proposal struct {
	image    int
	mirrored bool
	bits     int // in which the hashes differ
}

// mostProposals bounds the images that one is laid over. Copies are nearly always among the nearest, and where they are
// many, they find each other by way of others. Without it thousands of faces in one place would all be laid over all.
const mostProposals = 16

// propose returns which of the images before i it may be a copy of: those with the nearest hashes, of equals the latest,
// whose names are nearest.
func propose(hashes []uint64, looks []look, i int) (nearest []proposal) {
	most := nearBits
	for j := i - 1; j >= 0; j-- {
		different := hashes[i] ^ hashes[j]
		plain, mirrored := bits.OnesCount64(different), bits.OnesCount64(different^oddBits)
		if plain > most && mirrored > most {
			continue
		}
		for _, p := range [...]proposal{{j, false, plain}, {j, true, mirrored}} {
			if p.bits > most || !looks[i].mayBe(&looks[j], p.mirrored) {
				continue
			}
			at := len(nearest)
			for at > 0 && nearest[at-1].bits > p.bits {
				at--
			}
			nearest = slices.Insert(nearest, at, p)
			if len(nearest) >= mostProposals {
				nearest = nearest[:mostProposals]
				most = nearest[mostProposals-1].bits - 1
			}
		}
	}
	return nearest
}

// copied returns which of the images before i it is a copy of.
func copied(hashes []uint64, looks []look, i int) (originals []int) {
	var a *aligner
	for _, p := range propose(hashes, looks, i) {
		if looks[i].flat {
			originals = append(originals, p.image)
			continue
		}
		if a == nil {
			a = newAligner(looks[i].Thumb)
		}
		other := looks[p.image]
		gain, found := a.copyOf(other.Thumb, p.mirrored)
		if found && sameTint(looks[i].Tint, other.Tint, gain, p.mirrored) {
			originals = append(originals, p.image)
		}
	}
	return originals
}

// Groups joins images that are or look the same, directly or by way of others: element i is the least index of
// image i's group. An image looks the same as its copy that is brighter or darker, has more contrast, is cropped, shifted
// or turned by a little, framed, mirrored, scaled or saved again. Unreadable images are alone.
//
// The hashes of all pairs are compared; for those that are near, the thumbs decide.
func Groups(images []Image) []int {
	parent := make([]int, len(images))
	for i := range parent {
		parent[i] = i
	}
	var root func(i int) int
	root = func(i int) int {
		if parent[i] != i {
			parent[i] = root(parent[i])
		}
		return parent[i]
	}
	join := func(i, j int) {
		a, b := root(i), root(j)
		parent[max(a, b)] = min(a, b)
	}
	first := map[string]int{}
	var different []int // images by content
	var hashes []uint64
	var looks []look
	for i := range images {
		p := &images[i]
		if p.Err != "" {
			continue
		}
		if j, same := first[p.SHA256]; same {
			join(i, j)
			continue
		}
		first[p.SHA256] = i
		if len(p.Thumb) == thumbSize*thumbSize {
			different, hashes, looks = append(different, i), append(hashes, p.Hash), append(looks, newLook(&p.Fingerprint))
		}
	}
	originals := make([][]int, len(different))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(different)); i = next.Add(1) - 1 {
				originals[i] = copied(hashes, looks, int(i))
			}
		})
	}
	workers.Wait()
	for i, all := range originals {
		for _, j := range all {
			join(different[i], different[j])
		}
	}
	for i := range parent {
		root(i)
	}
	return parent
}
