//go:build !purego

package f32

// dwconv{px}c8AVX2 computes, for every group i, pixel p < px and channel c < C:
//
//	o := i*px + p
//	sum := Bias[c]
//	for _, tap := range Taps[:N] {
//		sum += tap.In[o*Step/4+c] * W[c/8*WStep/4+tap.W/4+c%8]
//	}
//	Out[o*LDO/4+c] = min(max(sum, Lo), Hi)
//
//go:noescape
func dwconv4c8AVX2(t *Depthwise)

//go:noescape
func dwconv1c8AVX2(t *Depthwise)
