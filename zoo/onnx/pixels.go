package onnx

import "zoobench/zoo/onnx/message"

// Pixels is what becomes of an image before the network: the shorter edge, or with Squash both, is scaled to Resize pixels, and
// Size×Size are cut from the middle. The mean is subtracted from values from 0 to 1 and the deviation divides them, by channel in
// the order of red, green and blue.
type Pixels struct {
	Resize, Size int
	Squash       bool
	Cubic        bool // Pillow's bicubic filter; bilinear else
	BGR          bool // whether the network takes blue first
	Mean, Std    [3]float64
}

// pixelOpset is the first with a Resize that widens its filter where an image shrinks, as Pillow does.
const pixelOpset = 18

// imageName is the file's input where the file prepares images.
const imageName = "image"

// pixels is the file's input of bytes.
func pixels() message.Value {
	return message.Value{Name: imageName, Type: message.Uint8, Shaped: true,
		Dims: []message.Dim{{Name: "batch"}, {Name: "height"}, {Name: "width"}, {Size: 3, Known: true}}}
}

// prepare turns an image (N, height, width, 3) of bytes into the network's input. Sizes and the place of the crop are computed in
// integers as torchvision does. The Shape is the input's and the Resize has all four sizes: ONNX Runtime 1.30 moves a Transpose
// behind a Shape of a part, and behind a Resize of some axes, wrongly.
func (e *exporter) prepare(p *Pixels) string {
	x := e.transpose(imageName, 0, 3, 1, 2)
	size := e.ints(p.Resize, p.Resize)
	if !p.Squash {
		edges := e.opWith("Shape", []message.Attribute{number("start", 1), number("end", 3)}, imageName)
		shorter := e.opWith("ReduceMin", []message.Attribute{number("keepdims", 1)}, edges, e.ints(0))
		size = e.op("Div", e.op("Mul", edges, e.ints(p.Resize)), shorter)
	}
	batch := e.opWith("Shape", []message.Attribute{number("start", 0), number("end", 1)}, imageName)
	mode := []message.Attribute{word("mode", "linear")}
	if p.Cubic {
		mode = []message.Attribute{word("mode", "cubic"), real("cubic_coeff_a", -0.5), number("exclude_outside", 1)}
	}
	x = e.opWith("Resize", append(mode, number("antialias", 1)), x, "", "", e.concatAt(0, batch, e.ints(3), size))

	// What is left over, halved: halves become even.
	over := e.op("Sub", size, e.ints(p.Size))
	half, two := e.op("Div", over, e.ints(2)), e.ints(2)
	at := e.op("Add", half, e.op("Mul", e.op("Mod", over, two), e.op("Mod", half, two)))
	x = e.op("Slice", x, at, e.op("Add", at, e.ints(p.Size)), e.ints(2, 3))

	x = e.opWith("Cast", []message.Attribute{number("to", int(message.Float32))}, x)
	x = e.op("Div", x, e.float(255))
	x = e.op("Sub", x, e.own("mean", narrow(p.Mean[:]), 3, 1, 1))
	x = e.op("Div", x, e.own("deviation", narrow(p.Std[:]), 3, 1, 1))
	if p.BGR {
		x = e.opWith("Gather", []message.Attribute{number("axis", 1)}, x, e.ints(2, 1, 0))
	}
	return x
}
