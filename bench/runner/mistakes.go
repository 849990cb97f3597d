package runner

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"

	"zoobench/datasets/decode"
	"zoobench/datasets/preprocess"
)

// The two mistakes of Audit that package preprocess cannot make. Neither has to be exact: they show what other libraries
// do to an accuracy.

// repeatedChroma is the image with the chroma of a JPEG file repeated to full size, as Go's own decoder gives it and
// as OpenCV and others do in their fast modes; m, the proper one, where Go cannot decode the file.
func repeatedChroma(data []byte, m *decode.Image) *decode.Image {
	picture, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return m
	}
	ycc, ok := picture.(*image.YCbCr)
	if !ok || ycc.Rect.Dx() != m.Width || ycc.Rect.Dy() != m.Height {
		return m
	}
	out := &decode.Image{Width: m.Width, Height: m.Height, Window: image.Rect(0, 0, m.Width, m.Height),
		Pix: make([]byte, 0, 3*m.Width*m.Height)}
	for y := range m.Height {
		for x := range m.Width {
			r, g, b, _ := ycc.YCbCrAt(ycc.Rect.Min.X+x, ycc.Rect.Min.Y+y).RGBA()
			out.Pix = append(out.Pix, byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	return out
}

// nearestPixels resizes as torch's interpolate does with antialias=False: two pixels a side for bilinear, four for
// bicubic with a = -0.75, however much the image shrinks; then it crops the centre and normalises.
func nearestPixels(m *decode.Image, r preprocess.Recipe, dst []float32) {
	w, h := r.Resize, r.Resize
	if m.Width <= m.Height {
		h = r.Resize * m.Height / m.Width
	} else {
		w = r.Resize * m.Width / m.Height
	}
	xs, ys := taps(m.Width, w, r), taps(m.Height, h, r)
	for y := range r.Size {
		for x := range r.Size {
			for c := range 3 {
				var sum float64
				for _, ty := range ys[y] {
					for _, tx := range xs[x] {
						sum += ty.weight * tx.weight * float64(m.Pix[ty.at*m.Stride()+3*tx.at+c])
					}
				}
				level := math.Round(min(max(sum, 0), 255)) / 255
				to := c
				if r.BGR {
					to = 2 - c
				}
				dst[3*(y*r.Size+x)+to] = float32((level - r.Mean[c]) / r.Std[c])
			}
		}
	}
}

// A tap is an input pixel of an output pixel along one axis.
type tap struct {
	at     int
	weight float64
}

// taps are those of the crop's outputs along an axis of in pixels that is resized to out.
func taps(in, out int, r preprocess.Recipe) [][]tap {
	list := make([][]tap, r.Size)
	skip := int(math.RoundToEven(float64(out-r.Size) / 2)) // as torchvision rounds
	for i := range list {
		centre := (float64(i+skip)+0.5)*float64(in)/float64(out) - 0.5
		base := int(math.Floor(centre))
		f := centre - float64(base)
		weights := []float64{1 - f, f}
		first := base
		if r.Interpolation == preprocess.Bicubic {
			first = base - 1
			weights = []float64{cubic(1 + f), cubic(f), cubic(1 - f), cubic(2 - f)}
		}
		for k, weight := range weights {
			list[i] = append(list[i], tap{min(max(first+k, 0), in-1), weight})
		}
	}
	return list
}

// cubic is Keys's kernel with a = -0.75, which torch and OpenCV take.
func cubic(x float64) float64 {
	const a = -0.75
	if x <= 1 {
		return ((a+2)*x-(a+3))*x*x + 1
	}
	return ((a*x-5*a)*x+8*a)*x - 4*a
}
