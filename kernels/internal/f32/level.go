package f32

// A Level is one instruction set's microkernels, chosen together.
type Level struct {
	Name string

	// Gemm are the tiles by their number of panels, and Gemm8 those of half a panel. Those of one panel are always there,
	// those of more where vectors are wide enough.
	Gemm  [Panels + 1]Tiles
	Gemm8 Tiles

	// Depthwise4 and Depthwise1 take four pixels of a row at a time, and one.
	Depthwise4, Depthwise1 func(*Depthwise)
	// Bands take whole rows: by (K−3)/2, S−1 and the number of rows; nil where there is none of so many.
	Bands [3][2][MaxBand + 1]func(*Band)

	// RowGrad is the gradient of filters by the number of taps, 1 to 3, and DepthGrad that of depthwise ones by (taps−3)/2; nil
	// where matrix tiles are the faster way.
	RowGrad   [4]func(*RowGrad)
	DepthGrad [3]func(*RowGrad)

	MaxPool4, MaxPool1 func(*Depthwise)
	Grouped4, Grouped1 func(*Depthwise) // groups of four channels; a Tap's W is a quarter of its weights' place
	// Grouped are groups of four channels or more, windows three wide, those of the widest vectors first.
	Grouped []GroupedKernels

	// The kernels that walk rows of channels. The activations are those of finite x.
	MulAdd, Mul, Add, Clamp, ColumnSums, ColumnSquares    func(*Rows)
	ColumnProducts, Slope, Blend, SoftmaxGrad, TopGrad    func(*Rows) // what gradients want
	Sigmoid, SiLU, HardSigmoid, HardSwish, GELU, GELUTanh func(*Rows)
	LayerNorm, Softmax                                    func(*Rows)
	Zip                                                   func(*Rows) // two rows into one, an element of each in turn
	Turn                                                  func(*Rows) // rows and columns exchanged, both in whole eights

	// The activations' gradients; nil where they are made of the functions themselves.
	SigmoidGrad, SiLUGrad, HardSigmoidGrad, HardSwishGrad, GELUGrad, GELUTanhGrad func(*Rows)

	// The transforms of F(4×4, 3×3).
	WinogradIn, WinogradOut func(*Winograd)
	WinogradFilters         func(*Filters)
}

// Tiles are matrix tiles of one width by their number of rows; index 0 is empty.
type Tiles [MR + 1]func(*Tile)

// generic is every microkernel in Go.
var generic = newGeneric()

func newGeneric() *Level {
	l := &Level{Name: "generic",
		Depthwise4: dwconvGeneric(4, false), Depthwise1: dwconvGeneric(1, false),
		Bands:     bandsGeneric(),
		RowGrad:   [4]func(*RowGrad){1: rowGradGeneric(1), 2: rowGradGeneric(2), 3: rowGradGeneric(3)},
		DepthGrad: [3]func(*RowGrad){depthGradGeneric(3), depthGradGeneric(5), depthGradGeneric(7)},
		Grouped4:  gconvGeneric(4), Grouped1: gconvGeneric(1), Grouped: []GroupedKernels{groupedKernelsGeneric()},
		MaxPool4: dwconvGeneric(4, true), MaxPool1: dwconvGeneric(1, true),
		MulAdd: mulAddGeneric, Mul: mulGeneric, Add: addGeneric, Clamp: clampGeneric,
		ColumnSums: columnsGeneric(false), ColumnSquares: columnsGeneric(true),
		ColumnProducts: columnProductsBy(mulAddGeneric), Slope: slopeGeneric, Blend: blendBy(mulAddGeneric),
		SoftmaxGrad: softmaxGradGeneric, TopGrad: topGradGeneric,
		Sigmoid: sigmoidGeneric, SiLU: siluGeneric, HardSigmoid: hardSigmoidGeneric, HardSwish: hardSwishGeneric,
		GELU: geluGeneric, GELUTanh: geluTanhGeneric, LayerNorm: layerNormGeneric, Softmax: softmaxGeneric, Zip: zipGeneric, Turn: turnGeneric,
		WinogradIn: winogradInGeneric, WinogradOut: winogradOutGeneric, WinogradFilters: winogradFiltersGeneric,
	}
	l.Gemm, l.Gemm8 = GemmGeneric(gemmRow)
	return l
}
