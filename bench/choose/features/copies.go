package features

import (
	"math"
	"math/bits"
	"slices"
)

// A Fingerprint is what images that look the same have nearly in common.
type Fingerprint struct {
	// Hash has a bit for each of the 64 lowest frequencies of the image, 32×32 and grey: set where the coefficient is
	// above their median, the constant one left out. Scaling and recompression turn few of them.
	Hash uint64 `json:"phash"`
	// Thumb is the image in 16×16 grey levels. It separates what has the same frequencies by chance.
	Thumb []byte `json:"thumb,omitempty"`
}

// Sizes of fingerprints, and what counts as looking the same. Of 900 photographs of ImageNet no two are so near; their
// copies, scaled by a half and recompressed, all are.
const (
	fingerprintSize = 32
	thumbSize       = 16
	hashSide        = 8
	nearBits        = 6 // of Hash
	nearLevels      = 8 // of Thumb, in the mean
)

// fingerprint takes the fingerprint of an image of shape (32, 32, 3), values from −1 to 1.
func fingerprint(rgb []float32) Fingerprint {
	const n = fingerprintSize
	var grey [n][n]float64
	for i := range n * n {
		r, g, b := float64(rgb[3*i]), float64(rgb[3*i+1]), float64(rgb[3*i+2])
		grey[i/n][i%n] = 127.5 * (1 + 0.299*r + 0.587*g + 0.114*b)
	}
	f := Fingerprint{Thumb: make([]byte, 0, thumbSize*thumbSize)}
	for y := range thumbSize {
		for x := range thumbSize {
			mean := (grey[2*y][2*x] + grey[2*y][2*x+1] + grey[2*y+1][2*x] + grey[2*y+1][2*x+1]) / 4
			f.Thumb = append(f.Thumb, byte(math.Round(min(max(mean, 0), 255))))
		}
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
	var coefficients []float64
	for v := range hashSide {
		for u := range hashSide {
			sum := 0.0
			for y := range n {
				sum += rows[y][u] * cosine[v][y]
			}
			coefficients = append(coefficients, sum)
		}
	}
	sorted := slices.Sorted(slices.Values(coefficients[1:]))
	median := sorted[len(sorted)/2]
	for i, c := range coefficients {
		if i > 0 && c > median {
			f.Hash |= 1 << i
		}
	}
	return f
}

// near reports whether two images look the same.
func (f Fingerprint) near(g Fingerprint) bool {
	if bits.OnesCount64(f.Hash^g.Hash) > nearBits || len(f.Thumb) != len(g.Thumb) {
		return false
	}
	sum := 0
	for i, a := range f.Thumb {
		sum += max(int(a), int(g.Thumb[i])) - min(int(a), int(g.Thumb[i]))
	}
	return sum <= nearLevels*len(f.Thumb)
}

// mostCompared bounds how many images of the same bits one is compared with: among thousands of blank ones, some pairs
// are found by way of others.
const mostCompared = 1024

// Groups joins images that are or look the same, directly or by way of others: element i is the least index of
// image i's group. Unreadable images are alone.
//
// Two hashes that differ in at most nearBits bits agree in one of nearBits+1 ranges of bits, so that only images that
// share a range are compared.
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
	for i, p := range images {
		if p.Err != "" {
			continue
		}
		if j, same := first[p.SHA256]; same {
			join(i, j)
		} else {
			first[p.SHA256] = i
		}
	}
	const ranges = nearBits + 1
	for r := range ranges {
		from, to := 64*r/ranges, 64*(r+1)/ranges
		buckets := map[uint64][]int{}
		for i, p := range images {
			if p.Err != "" {
				continue
			}
			key := p.Hash >> from & (1<<(to-from) - 1)
			bucket := buckets[key]
			for _, j := range bucket[max(0, len(bucket)-mostCompared):] {
				if p.near(images[j].Fingerprint) {
					join(i, j)
				}
			}
			buckets[key] = append(bucket, i)
		}
	}
	for i := range parent {
		root(i)
	}
	return parent
}
