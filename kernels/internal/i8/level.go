package i8

// A Level is one instruction set's microkernels, chosen together.
type Level struct {
	Name string
	Base string // the level of package f32 that it goes with

	// Pairs is whether a panel's step has its sixteen columns' first two elements before their last two: (2, 16, 2), not (16, 4).
	Pairs bool
	// Whole is whether matrix tiles read and write all their columns, however many exist.
	Whole bool
	// Less is what matrix tiles take from every byte of the left matrix: 128 where they multiply signed bytes. Biases make up for it.
	Less int32

	// Gemm are the tiles by their number of panels. Those of one panel are always there, those of more where registers are.
	Gemm [Panels + 1]Tiles

	// Blocks are the products by blocks.
	Blocks Blocks
	// Tiled is whether instructions multiply whole tiles, so that blocks are faster than Gemm where there is enough to do.
	Tiled bool

	// Bands are depthwise convolutions of windows that have one: by (K−3)/2, S−1 and the number of rows; nil where there is none
	// of so many. In Go there is none: pixels one by one are faster there.
	Bands Bands
	// BandRows is how many rows' weights stand together in a band's: four bytes, or two numbers of 16 bits.
	BandRows int

	Depthwise func(*Window) // Out[o][c] = finish(Bias[c] + Σ In[o][c]·W[c]) over the taps
	Sum       func(*Window) // Out[o][c] = finish(Start + Σ In[o][c])
	Max       func(*Window) // Out[o][c] = max In[o][c]; no finish

	Table      func(*Rows) // Out[r][c] = Table[In[r][c]]
	Add        func(*Rows) // Out[r][c] = finish: y = Σ (In[r][c]−Zero)·Scale over the parts, in their order
	Mul        func(*Rows) // Out[r][c] = finish: y = (In[r][c]−InZero)·(B[r][c]−BZero)·InScale
	Quantize   func(*Rows) // Out[r][c] = finish: y = In[r][c]·InScale, In being float32
	Dequantize func(*Rows) // Out[r][c] = (In[r][c]−InZero)·InScale, Out being float32
}

// Tiles are matrix tiles of one width by their number of rows; index 0 is empty.
type Tiles [MR + 1]func(*Tile)

// Bands are depthwise kernels by (K−3)/2, S−1 and the number of rows; index 0 is empty.
type Bands [3][2][BandInputs - 1]func(*Band)

// generic is every microkernel in Go.
var generic = newGeneric()

func newGeneric() *Level {
	l := &Level{Name: "generic", Base: "generic",
		Blocks: BlocksGeneric(blockGeneric), Depthwise: depthwiseGeneric, Sum: sumGeneric, Max: maxGeneric,
		Table: tableGeneric, Add: addGeneric, Mul: mulGeneric, Quantize: quantizeGeneric, Dequantize: dequantizeGeneric,
	}
	for mr := 1; mr <= MR; mr++ {
		for panels := 1; panels <= Panels; panels++ {
			l.Gemm[panels][mr] = gemmGeneric(mr, panels*NR)
		}
	}
	return l
}
