package kernels

import "zoobench/kernels/internal/f32"

// windows are an attention's tokens by windows, found by address, and what is added to the scores in each.
type windows struct {
	AttentionShape
	level  *f32.Level
	h, w   int          // of a window
	tokens int          // of a window
	padded int          // tokens, rounded up to whole panels
	most   int          // panels of a tile
	kinds  [4][]float32 // (Heads, tokens, padded) added to scores: interior, right edge, bottom edge, corner; empty for none
}

// maskedScore is added where a rolled window joins tokens that were no neighbours (Swin's constant).
const maskedScore = -100

func cutWindows(s AttentionShape) windows {
	a := windows{AttentionShape: s, level: level, most: panelsOf(level), h: s.H, w: s.W}
	if s.Window > 0 {
		a.h, a.w = s.Window, s.Window
	}
	if s.Heads < 1 || s.D < 1 || s.H%a.h != 0 || s.W%a.w != 0 || s.Bias != nil && len(s.Bias) != a.table()*s.Heads {
		panic("kernels: attention: shapes do not fit")
	}
	a.tokens = a.h * a.w
	a.padded = roundUp(a.tokens, f32.NR)
	for kind := range a.kinds {
		if s.Bias != nil || s.Shift > 0 && kind > 0 {
			a.kinds[kind] = Alloc(a.Heads * a.tokens * a.padded)
		}
		if s.Shift == 0 {
			break
		}
	}
	a.fill()
	return a
}

// table is how many relative positions there are, each with a bias of its own.
func (a *windows) table() int { return (2*a.h - 1) * (2*a.w - 1) }

// relative is the place of a query and a key in the table.
func (a *windows) relative(q, k int) int {
	return (q/a.w-k/a.w+a.h-1)*(2*a.w-1) + q%a.w - k%a.w + a.w - 1
}

// Take takes another bias, as training makes it at every step, where there is one.
func (a *windows) Take(bias []float32) {
	if a.kinds[0] == nil || len(bias) != a.table()*a.Heads {
		panic("kernels: attention: bias of another length")
	}
	a.Bias = bias
	a.fill()
}

// fill computes what each kind of window adds to its scores, and forgets the bias.
func (a *windows) fill() {
	for kind, out := range a.kinds {
		if out == nil {
			continue
		}
		for q := range a.tokens {
			for k := range a.tokens {
				far := a.region(kind, q) != a.region(kind, k)
				for head := range a.Heads {
					v := float32(0)
					if a.Bias != nil {
						v = a.Bias[a.relative(q, k)*a.Heads+head]
					}
					if far {
						v += maskedScore
					}
					out[(head*a.tokens+q)*a.padded+k] = v
				}
			}
		}
	}
	a.Bias = nil
}

// region numbers the parts of a rolled window of a kind that were no neighbours before.
func (a *windows) region(kind, token int) (r int) {
	if kind&1 != 0 && token%a.w >= a.w-a.Shift {
		r++
	}
	if kind&2 != 0 && token/a.w >= a.h-a.Shift {
		r += 2
	}
	return r
}

// offsets are a head's first channels in src: of its queries, keys and values.
func (s *AttentionShape) offsets(head int) (q, k, v int) {
	if s.HeadsFirst {
		return 3 * head * s.D, (3*head + 1) * s.D, (3*head + 2) * s.D
	}
	return head * s.D, (s.Heads + head) * s.D, (2*s.Heads + head) * s.D
}

// ofImage is the windows of an image.
func (a *windows) ofImage() int { return a.H / a.h * (a.W / a.w) }

// window finds a window's tokens, as pixels of all images, and its kind.
func (a *windows) window(at []int, window int) (kind int) {
	across, down := a.W/a.w, a.H/a.h
	wx, wy, image := window%across, window/across%down, window/across/down
	for i := range at {
		y, x := wy*a.h+i/a.w+a.Shift, wx*a.w+i%a.w+a.Shift
		at[i] = (image*a.H+y%a.H)*a.W + x%a.W
	}
	if a.Shift > 0 && wx == across-1 {
		kind = 1
	}
	if a.Shift > 0 && wy == down-1 {
		kind += 2
	}
	return kind
}

// added is what the rows of a head's queries from first on have added, in a kind of window; nil for nothing.
func (a *windows) added(kind, head, first int) []float32 {
	if a.kinds[kind] == nil {
		return nil
	}
	return a.kinds[kind][(head*a.tokens+first)*a.padded:]
}
