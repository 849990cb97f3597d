package weights

import "slices"

// outputsFirst turns a kernel (H,W,I,O) or (I,O) to the parameter's order, whose shape (O,I,H,W) or (O,I) is.
func outputsFirst(x []float32, shape []int) []float32 {
	out, in, pixels := shape[0], shape[1], length(shape[2:])
	y := make([]float32, len(x))
	for p := range pixels {
		for i := range in {
			for o, v := range x[(p*in+i)*out:][:out] {
				y[(o*in+i)*pixels+p] = v
			}
		}
	}
	return y
}

// lastShape is the shape that a tensor with its output channels last must have to be a parameter of that shape. A
// depthwise kernel may be (H,W,1,C) or (H,W,C,1), which are the same elements: it is the one that have is.
func lastShape(shape, have []int) []int {
	if len(shape) < 2 {
		return shape
	}
	want := append(slices.Clone(shape[2:]), shape[1], shape[0])
	if n := len(want); shape[1] == 1 && len(have) == n && have[n-1] == 1 {
		want[n-2], want[n-1] = want[n-1], want[n-2]
	}
	return want
}
