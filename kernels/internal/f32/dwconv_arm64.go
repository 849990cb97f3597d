//go:build !purego

package f32

// dwconv{px}c16NEON computes, for every group i, pixel p < px and channel c < C:
//
//	o := i*px + p
//	sum := Bias[c]
//	for _, tap := range Taps[:N] {
//		sum += tap.In[o*Step/4+c] * W[c/8*WStep/4+tap.W/4+c%8]
//	}
//	Out[o*LDO/4+c] = min(max(sum, Lo), Hi)
//
//go:noescape
func dwconv4c16NEON(t *Depthwise)

//go:noescape
func dwconv1c16NEON(t *Depthwise)

// maxpool{px}c16NEON computes the same with
//
//	sum = max(sum, tap.In[o*Step/4+c])
//
// in place of the multiply-add, and reads no weights.
//
//go:noescape
func maxpool4c16NEON(t *Depthwise)

//go:noescape
func maxpool1c16NEON(t *Depthwise)

// gconv{px}g4c8NEON computes a convolution in groups of four channels, C being a multiple of eight:
//
//	sum := Bias[c]
//	for _, tap := range Taps[:N] {
//		for j := range 4 {
//			sum += tap.In[o*Step/4+c/4*4+j] * W[c/8*WStep/4+tap.W+8*j+c%8]
//		}
//	}
//	Out[o*LDO/4+c] = min(max(sum, Lo), Hi)
//
//go:noescape
func gconv4g4c8NEON(t *Depthwise)

//go:noescape
func gconv1g4c8NEON(t *Depthwise)
