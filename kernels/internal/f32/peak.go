package f32

// peakChains is the number of independent chains of multiply-adds in FMAPeak, of eight elements each.
const peakChains = 12

// ReadBlock is how many elements ReadSum takes at a time.
const ReadBlock = 64

// fmaPeakGeneric computes what fmaPeakAVX2 does.
func fmaPeakGeneric(rounds int, x *[8]float32) {
	var acc [peakChains][8]float32
	for i := range acc {
		acc[i] = *x
	}
	for range rounds {
		for i := range acc {
			for j := range acc[i] {
				acc[i][j] += x[j] * x[j]
			}
		}
	}
	*x = acc[0]
	for _, a := range acc[1:] {
		for j, v := range a {
			x[j] += v
		}
	}
}

// readSumGeneric computes what readSumAVX2 does.
func readSumGeneric(x []float32, sum *[8]float32) {
	var acc [8][8]float32
	for len(x) >= ReadBlock {
		block := (*[ReadBlock]float32)(x)
		for i := range acc {
			for j := range acc[i] {
				acc[i][j] += block[8*i+j]
			}
		}
		x = x[ReadBlock:]
	}
	for _, a := range acc {
		for j, v := range a {
			sum[j] += v
		}
	}
}
