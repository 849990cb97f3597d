//go:build !purego

package f32

// wino4x3inc4NEON computes, for every channel, Out[p] = (Bᵀ·d·B)[p] for the 36 points p of the 6×6 tile d at In.
//
//go:noescape
func wino4x3inc4NEON(t *Winograd)

// wino4x3outc4NEON computes, for every channel c, Out = min(max(Aᵀ·m·A + Bias[c] + R, Lo), Hi), 4×4 pixels, for the 36
// points m at In.
//
//go:noescape
func wino4x3outc4NEON(t *Winograd)
