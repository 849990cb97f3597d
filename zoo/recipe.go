package zoo

// Recipe is a checkpoint's preprocessing: resize the shorter edge, crop, scale to 0…1, subtract the mean and divide by
// the standard deviation of each channel. Its zero value is ImageNet's usual one, see Full.
type Recipe struct {
	Size          int        // pixels of the square crop; 0 means the network's own
	CropPct       float64    // crop over resized shorter edge; 0 means 0.875
	Interpolation string     // "bilinear", "bicubic" …; "" means bilinear
	CropMode      string     // "center", "squash", "border" as timm defines them; "" means center
	Resize        int        // the shorter edge where it is published as pixels; 0 means ⌊Size/CropPct⌋
	Mean, Std     [3]float64 // a mean of zeros is one where there is a deviation
	BGR           bool       // the network takes channels blue, green, red; Mean and Std are red's first all the same
	TestSize      int        // a second, larger size that the weights were also published with; 0 means none
	TestCropPct   float64    // its crop; 0 means CropPct
}

// imageNetMean and imageNetStd are the statistics of ILSVRC-2012's training set as torchvision and timm use them.
var (
	imageNetMean = [3]float64{0.485, 0.456, 0.406}
	imageNetStd  = [3]float64{0.229, 0.224, 0.225}
	half         = [3]float64{0.5, 0.5, 0.5}
)

// Recipes that several families' tables name.
var (
	plain         = Recipe{}
	bicubic       = Recipe{Interpolation: "bicubic"}
	bicubic95     = Recipe{CropPct: 0.95, Interpolation: "bicubic", TestSize: 288, TestCropPct: 1}
	bicubic90     = Recipe{CropPct: 0.9, Interpolation: "bicubic"}
	halfMean90    = Recipe{CropPct: 0.9, Interpolation: "bicubic", Mean: half, Std: half}
	halfMean95    = Recipe{CropPct: 0.95, Interpolation: "bicubic", Mean: half, Std: half}
	halfMean100   = Recipe{CropPct: 1, Interpolation: "bicubic", Mean: half, Std: half}
	halfSquash100 = Recipe{CropPct: 1, Interpolation: "bicubic", CropMode: "squash", Mean: half, Std: half}
	bicubic88     = Recipe{Interpolation: "bicubic", TestSize: 288, TestCropPct: 0.95}
)

// Full fills in what the zero values stand for, size being the network's own. TestCropPct stays 0 where there is no
// TestSize.
func (r Recipe) Full(size int) Recipe {
	if r.Size == 0 {
		r.Size = size
	}
	if r.CropPct == 0 {
		r.CropPct = 0.875
	}
	if r.Interpolation == "" {
		r.Interpolation = "bilinear"
	}
	if r.CropMode == "" {
		r.CropMode = "center"
	}
	if r.Std == ([3]float64{}) {
		r.Std = imageNetStd
		if r.Mean == ([3]float64{}) {
			r.Mean = imageNetMean
		}
	}
	if r.Resize == 0 {
		r.Resize = int(float64(r.Size) / r.CropPct)
	}
	if r.TestSize != 0 && r.TestCropPct == 0 {
		r.TestCropPct = r.CropPct
	}
	return r
}

// Channels is the order of the tensor's channels in words.
func (r Recipe) Channels() string {
	if r.BGR {
		return "blue, green, red"
	}
	return "red, green, blue"
}
