//go:build !purego

package i8

// dwband{k}s{s}r{r}{ISA} computes, for every row r < R, column o < OW and channel c < C, with W's weight of channel c at row ky
// and column kx of the window:
//
//	sum := bias of c
//	for ky, kx := range K, K {
//		x := o*S + kx - Left
//		if x < 0 || x >= Cols {
//			sum += Padding[r*S+ky][c] * weight
//		} else {
//			sum += In[r*S+ky][x*InPixel+c] * weight
//		}
//	}
//	Out[r*OutRow+o*OutPixel+c] = finish(float32(sum) * scale of c)
//
//go:noescape
func dwband3s1r1VNNI(t *Band)

//go:noescape
func dwband3s1r2VNNI(t *Band)

//go:noescape
func dwband3s1r3VNNI(t *Band)

//go:noescape
func dwband3s1r4VNNI(t *Band)

//go:noescape
func dwband3s1r5VNNI(t *Band)

//go:noescape
func dwband3s1r6VNNI(t *Band)

//go:noescape
func dwband3s2r1VNNI(t *Band)

//go:noescape
func dwband3s2r2VNNI(t *Band)

//go:noescape
func dwband3s2r3VNNI(t *Band)

//go:noescape
func dwband5s1r1VNNI(t *Band)

//go:noescape
func dwband5s1r2VNNI(t *Band)

//go:noescape
func dwband5s1r3VNNI(t *Band)

//go:noescape
func dwband5s1r4VNNI(t *Band)

//go:noescape
func dwband5s2r1VNNI(t *Band)

//go:noescape
func dwband5s2r2VNNI(t *Band)

//go:noescape
func dwband7s1r1VNNI(t *Band)

//go:noescape
func dwband7s1r2VNNI(t *Band)

//go:noescape
func dwband7s2r1VNNI(t *Band)

// bandsVNNI are the bands by (K−3)/2, S−1 and R.
var bandsVNNI = Bands{
	{
		{nil, dwband3s1r1VNNI, dwband3s1r2VNNI, dwband3s1r3VNNI, dwband3s1r4VNNI, dwband3s1r5VNNI, dwband3s1r6VNNI},
		{nil, dwband3s2r1VNNI, dwband3s2r2VNNI, dwband3s2r3VNNI},
	},
	{
		{nil, dwband5s1r1VNNI, dwband5s1r2VNNI, dwband5s1r3VNNI, dwband5s1r4VNNI},
		{nil, dwband5s2r1VNNI, dwband5s2r2VNNI},
	},
	{
		{nil, dwband7s1r1VNNI, dwband7s1r2VNNI},
		{nil, dwband7s2r1VNNI},
	},
}

// The same with AVX2, of weights by pairs of rows (Level.BandRows), and with AVX-VNNI, as many rows as there are registers for.

//go:noescape
func dwband3s1r1AVX2(t *Band)

//go:noescape
func dwband3s1r2AVX2(t *Band)

//go:noescape
func dwband3s2r1AVX2(t *Band)

//go:noescape
func dwband3s2r2AVX2(t *Band)

//go:noescape
func dwband3s2r3AVX2(t *Band)

//go:noescape
func dwband5s1r1AVX2(t *Band)

//go:noescape
func dwband5s2r1AVX2(t *Band)

//go:noescape
func dwband5s2r2AVX2(t *Band)

//go:noescape
func dwband7s2r1AVX2(t *Band)

//go:noescape
func dwband3s1r1AVXVNNI(t *Band)

//go:noescape
func dwband3s1r2AVXVNNI(t *Band)

//go:noescape
func dwband3s2r1AVXVNNI(t *Band)

//go:noescape
func dwband3s2r2AVXVNNI(t *Band)

//go:noescape
func dwband3s2r3AVXVNNI(t *Band)

//go:noescape
func dwband5s1r1AVXVNNI(t *Band)

//go:noescape
func dwband5s2r1AVXVNNI(t *Band)

//go:noescape
func dwband5s2r2AVXVNNI(t *Band)

//go:noescape
func dwband7s2r1AVXVNNI(t *Band)

var bandsAVX2 = Bands{
	{{nil, dwband3s1r1AVX2, dwband3s1r2AVX2}, {nil, dwband3s2r1AVX2, dwband3s2r2AVX2, dwband3s2r3AVX2}},
	{{nil, dwband5s1r1AVX2}, {nil, dwband5s2r1AVX2, dwband5s2r2AVX2}},
	{{}, {nil, dwband7s2r1AVX2}},
}

var bandsAVXVNNI = Bands{
	{{nil, dwband3s1r1AVXVNNI, dwband3s1r2AVXVNNI}, {nil, dwband3s2r1AVXVNNI, dwband3s2r2AVXVNNI, dwband3s2r3AVXVNNI}},
	{{nil, dwband5s1r1AVXVNNI}, {nil, dwband5s2r1AVXVNNI, dwband5s2r2AVXVNNI}},
	{{}, {nil, dwband7s2r1AVXVNNI}},
}
