//go:build !purego

package f32

// dwband{k}s{s}r{r}{ISA} computes, for every row r < R, column o < OW and channel c < C, with sums in this order:
//
//	sum := Bias[c]
//	for kx := range K {
//		x := o*S + kx - Left
//		if x < 0 || x >= Cols {
//			continue
//		}
//		for ky := range K {
//			if in := In[r*S+ky]; in != nil {
//				sum += in[x*InPixel/4+c] * W[c/16*K*K*16+(ky*K+kx)*16+c%16]
//			}
//		}
//	}
//	Out[r*OutRow/4+o*OutPixel/4+c] = min(max(sum, Lo), Hi)
//
//go:noescape
func dwband3s1r1AVX2(t *Band)

//go:noescape
func dwband3s1r2AVX2(t *Band)

//go:noescape
func dwband3s1r3AVX2(t *Band)

//go:noescape
func dwband3s2r1AVX2(t *Band)

//go:noescape
func dwband3s2r2AVX2(t *Band)

//go:noescape
func dwband3s2r3AVX2(t *Band)

//go:noescape
func dwband5s1r1AVX2(t *Band)

//go:noescape
func dwband5s1r2AVX2(t *Band)

//go:noescape
func dwband5s2r1AVX2(t *Band)

//go:noescape
func dwband5s2r2AVX2(t *Band)

//go:noescape
func dwband5s2r3AVX2(t *Band)

//go:noescape
func dwband7s1r1AVX2(t *Band)

//go:noescape
func dwband7s1r2AVX2(t *Band)

//go:noescape
func dwband7s2r1AVX2(t *Band)

//go:noescape
func dwband7s2r2AVX2(t *Band)

//go:noescape
func dwband7s2r3AVX2(t *Band)

// bandsAVX2 are the bands by (K−3)/2, S−1 and R; nil where the registers do not reach.
var bandsAVX2 = [3][2][MaxBand + 1]func(*Band){
	{{nil, dwband3s1r1AVX2, dwband3s1r2AVX2, dwband3s1r3AVX2}, {nil, dwband3s2r1AVX2, dwband3s2r2AVX2, dwband3s2r3AVX2}},
	{{nil, dwband5s1r1AVX2, dwband5s1r2AVX2}, {nil, dwband5s2r1AVX2, dwband5s2r2AVX2, dwband5s2r3AVX2}},
	{{nil, dwband7s1r1AVX2, dwband7s1r2AVX2}, {nil, dwband7s2r1AVX2, dwband7s2r2AVX2, dwband7s2r3AVX2}},
}

//go:noescape
func dwband3s1r1AVX512(t *Band)

//go:noescape
func dwband3s1r2AVX512(t *Band)

//go:noescape
func dwband3s1r3AVX512(t *Band)

//go:noescape
func dwband3s2r1AVX512(t *Band)

//go:noescape
func dwband3s2r2AVX512(t *Band)

//go:noescape
func dwband3s2r3AVX512(t *Band)

//go:noescape
func dwband5s1r1AVX512(t *Band)

//go:noescape
func dwband5s1r2AVX512(t *Band)

//go:noescape
func dwband5s1r3AVX512(t *Band)

//go:noescape
func dwband5s2r1AVX512(t *Band)

//go:noescape
func dwband5s2r2AVX512(t *Band)

//go:noescape
func dwband5s2r3AVX512(t *Band)

//go:noescape
func dwband7s1r1AVX512(t *Band)

//go:noescape
func dwband7s1r2AVX512(t *Band)

//go:noescape
func dwband7s1r3AVX512(t *Band)

//go:noescape
func dwband7s2r1AVX512(t *Band)

//go:noescape
func dwband7s2r2AVX512(t *Band)

//go:noescape
func dwband7s2r3AVX512(t *Band)

// bandsAVX512 is the same for AVX-512.
var bandsAVX512 = [3][2][MaxBand + 1]func(*Band){
	{{nil, dwband3s1r1AVX512, dwband3s1r2AVX512, dwband3s1r3AVX512}, {nil, dwband3s2r1AVX512, dwband3s2r2AVX512, dwband3s2r3AVX512}},
	{{nil, dwband5s1r1AVX512, dwband5s1r2AVX512, dwband5s1r3AVX512}, {nil, dwband5s2r1AVX512, dwband5s2r2AVX512, dwband5s2r3AVX512}},
	{{nil, dwband7s1r1AVX512, dwband7s1r2AVX512, dwband7s1r3AVX512}, {nil, dwband7s2r1AVX512, dwband7s2r2AVX512, dwband7s2r3AVX512}},
}
