package preprocess

import "math"

// A Filter is a way of interpolating, named as timm and torchvision name it.
type Filter string

// Pillow's filters (src/libImaging/Resample.c), all but Nearest antialiased:
// they widen where the image shrinks.
const (
	Nearest  Filter = "nearest"
	Box      Filter = "box"
	Bilinear Filter = "bilinear"
	Hamming  Filter = "hamming"
	Bicubic  Filter = "bicubic" // with a = -0.5
	Lanczos  Filter = "lanczos" // three lobes
)

// filterNames lists the filters from the plainest on.
func filterNames() []string {
	return []string{string(Nearest), string(Box), string(Bilinear), string(Hamming), string(Bicubic), string(Lanczos)}
}

// A kernel is a filter's weight by distance, in source pixels before
// stretching, and the distance at which it ends.
type kernel struct {
	at      func(x float64) float64
	support float64
}

// kernel returns the filter's kernel; nil for Nearest, which has none, and for
// an unknown name.
func (f Filter) kernel() *kernel {
	switch f {
	case Box:
		return &kernel{box, 0.5}
	case Bilinear:
		return &kernel{triangle, 1}
	case Hamming:
		return &kernel{hamming, 1}
	case Bicubic:
		return &kernel{cubic, 2}
	case Lanczos:
		return &kernel{lanczos, 3}
	}
	return nil
}

func box(x float64) float64 {
	if x > -0.5 && x <= 0.5 {
		return 1
	}
	return 0
}

func triangle(x float64) float64 { return max(1-math.Abs(x), 0) }

func hamming(x float64) float64 {
	x = math.Abs(x)
	if x == 0 {
		return 1
	}
	if x >= 1 {
		return 0
	}
	x = float64(x * math.Pi)
	// Pillow's constants are single precision.
	return math.Sin(x) / x * (float64(float32(0.54)) + float64(float64(float32(0.46))*math.Cos(x)))
}

func cubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64(float64(float64((a+2)*x)-(a+3))*x*x) + 1
	case x < 2:
		return float64((float64(float64(float64((x-5)*x)+8)*x) - 4) * a)
	}
	return 0
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x = float64(x * math.Pi)
	return math.Sin(x) / x
}

func lanczos(x float64) float64 {
	if x >= -3 && x < 3 {
		return float64(sinc(x) * sinc(x/3))
	}
	return 0
}
