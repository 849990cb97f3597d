//go:build !purego

package f32

// wino4x3inc8AVX2 computes, for every channel, Out[p] = (Bᵀ·d·B)[p] for the 36 points p of the 6×6 tile d at In.
//
//go:noescape
func wino4x3inc8AVX2(t *Winograd)

// wino4x3outc8AVX2 computes, for every channel c, Out = min(max(Aᵀ·m·A + Bias[c] + R, Lo), Hi), 4×4 pixels, for the 36
// points m at In.
//
//go:noescape
func wino4x3outc8AVX2(t *Winograd)

// wino4x3filterc4AVX2 computes, for N channels c and NR filters j side by side, Out[p][c][j] = (G·g·Gᵀ)[p] in float64 for the
// 36 points p of the filter g = In[c][·][j].
//
//go:noescape
func wino4x3filterc4AVX2(t *Filters)

// With AVX-512 the same, to the bit.
//
//go:noescape
func wino4x3inc16AVX512(t *Winograd)

//go:noescape
func wino4x3outc16AVX512(t *Winograd)

//go:noescape
func wino4x3filterc8AVX512(t *Filters)
