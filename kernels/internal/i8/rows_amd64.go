//go:build !purego

package i8

// None of these needs VNNI, but AVX-512 as package cpu has it.

// addVNNI computes Out[r][c] = finish(Σ float32(In[r][c]−Zero)*Scale) over the parts, in their order.
//
//go:noescape
func addVNNI(t *Rows)

// mulVNNI computes Out[r][c] = finish(float32((In[r][c]−InZero)*(B[r][c]−BZero))*InScale).
//
//go:noescape
func mulVNNI(t *Rows)

// quantizeVNNI computes Out[r][c] = finish(In[r][c]*InScale), In being float32.
//
//go:noescape
func quantizeVNNI(t *Rows)

// dequantizeVNNI computes Out[r][c] = float32(In[r][c]−InZero)*InScale, Out being float32.
//
//go:noescape
func dequantizeVNNI(t *Rows)

// tableVNNI computes Out[r][c] = Table[In[r][c]]. It needs AVX-512 VBMI beside.
//
//go:noescape
func tableVNNI(t *Rows)

// dwconvVNNI computes, for every pixel o and channel c < C:
//
//	sum := Bias[c]
//	for _, tap := range Taps[:N] {
//		sum += tap.In[o*Step+c] * W[tap.W+c]
//	}
//	Out[o*LDO+c] = finish(float32(sum) * Scale[c])
//
//go:noescape
func dwconvVNNI(t *Window)

// sumVNNI computes the same with sums that begin with Start, inputs alone, and one Scale.
//
//go:noescape
func sumVNNI(t *Window)

// maxVNNI computes Out[o*LDO+c] = the largest tap.In[o*Step+c].
//
//go:noescape
func maxVNNI(t *Window)

// The same with AVX2, tables too.

//go:noescape
func addAVX2(t *Rows)

//go:noescape
func mulAVX2(t *Rows)

//go:noescape
func quantizeAVX2(t *Rows)

//go:noescape
func dequantizeAVX2(t *Rows)

//go:noescape
func tableAVX2(t *Rows)

//go:noescape
func dwconvAVX2(t *Window)

//go:noescape
func sumAVX2(t *Window)

//go:noescape
func maxAVX2(t *Window)
