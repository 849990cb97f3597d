// Package zoo is the networks: a file a family, each network written as its paper's table plus a short function over
// nn.Builder, under the names and parameter names of timm, or of torchvision where timm lacks the network.
//
// The contract: a Spec is complete. It builds the network's graph for any input size and class count that the reference
// allows, states the published parameter and MAC counts (tests recompute them from the graph) and the preprocessing
// that the weights were published with. A name means one computation: two libraries' networks that differ in an epsilon
// or a padding have two names, networks that compute the same have one name and an alias. Lists are immutable and safe
// for use by many goroutines.
//
// It leaves to others the numbers in the parameters (zoo/weights), running a graph (zoo/engine, zoo/interp) and reading
// images (datasets).
package zoo

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"zoobench/zoo/nn"
	"zoobench/zoo/pocket"
	"zoobench/zoo/weights"
)

// families stand in order of publication.
var families = []family{
	alexNets,              // 2014
	vggs,                  // 2014
	kerasVGGs,             // 2014
	googLeNets,            // 2014
	bnInceptions,          // 2015
	inceptionV3s,          // 2015
	kerasInceptionV3s,     // 2015
	resNets,               // 2015
	kerasResNets,          // 2015
	inceptionV4s,          // 2016
	kerasInceptionResNets, // 2016
	squeezeNets,           // 2016
	resNetV2s,             // 2016
	kerasResNetV2s,        // 2016
	wideResNets,           // 2016
	denseNets,             // 2016
	kerasDenseNets,        // 2016
	xceptions,             // 2016
	kerasXceptions,        // 2016
	resNeXts,              // 2016
	mobileNetV1s,          // 2017
	kerasMobileNetV1s,     // 2017
	nasNets,               // 2017
	kerasNASNets,          // 2017
	seResNets,             // 2017
	legacySENets,          // 2017
	pnasNets,              // 2017
	mobileNetV2s,          // 2018
	kerasMobileNetV2s,     // 2018
	shuffleNetV2s,         // 2018
	mnasNets,              // 2018
	mobileNetV3s,          // 2019
	kerasMobileNetV3s,     // 2019
	skNets,                // 2019
	efficientNets,         // 2019
	kerasEfficientNets,    // 2019
	ecaNets,               // 2019
	ghostNets,             // 2019
	bits,                  // 2019
	regNetXs,              // 2020
	regNetYs,              // 2020
	vits,                  // 2020
	deits,                 // 2020
	swins,                 // 2021
	efficientNetV2s,       // 2021
	kerasEfficientNetV2s,  // 2021
	coAtNets,              // 2021
	convNeXts,             // 2022
	kerasConvNeXts,        // 2022
}

// Spec is one network.
type Spec struct {
	Name   string
	Build  func(*nn.Builder, nn.Value) nn.Value
	Size   int      // of the square input in pixels, where the counts hold
	Input  nn.Shape // at that size, of a network whose images are not three channels of Size×Size; zero else
	Params int64    // learned elements, published
	MACs   int64    // multiply-accumulates of one image at Size, by the convention of nn.Graph.MACs
	Recipe Recipe   // what the published weights expect

	Classes int // of the classifier; 0 means ImageNet's 1000
	Least   int // of the square input in pixels, as its library has it; 0 means any that strides and windows allow

	Family  string   // "resnet"
	Year    int      // of the paper
	Paper   string   // "arXiv:1512.03385"
	Aliases []string // other libraries' names of the same computation

	// Renames are other libraries' names of the parameters, for weights.Bind, which takes the table that fits a file.
	Renames []weights.Table

	// Variants are the libraries that compute the network otherwise or prepare its images otherwise.
	Variants []Variant

	// Checkpoints are the published weights, and those that the program contains; none for a network without any.
	Checkpoints []Checkpoint
}

// A Variant is what another library makes of a network. Its name is that of the table of Renames that fits the library's
// files, so that a file's parameter names choose it; or, of one library's files, some are of a variant by what they hold.
type Variant struct {
	Library string
	Graph   string  // in what its graph differs; "" where it computes the same
	Recipe  *Recipe // its preprocessing, where the library published no checkpoint of its own in Checkpoints; nil for the row's

	// Of reports whether a file is of this variant; nil where the file's parameter names say it.
	Of func(weights.Source) bool
}

// Variant is what a library makes of the network, the zero Variant where that is the same.
func (s *Spec) Variant(library string) Variant {
	for _, v := range s.Variants {
		if v.Library == library {
			return v
		}
	}
	return Variant{}
}

// Graph builds the network for a square input of size pixels and a number of classes; 0 means the published size, and
// the network's own number of classes. A size below Least, or that strides or windows do not allow, is an error.
func (s *Spec) Graph(size, classes int) (*nn.Graph, error) { return s.GraphOf("", size, classes) }

// GraphOf is Graph as a library computes the network, see Variants. The parameters are the same.
func (s *Spec) GraphOf(library string, size, classes int) (*nn.Graph, error) {
	return s.GraphWith(nn.Config{Size: size, Classes: classes, Library: library})
}

// GraphWith is Graph as a configuration wants it, for training say. Its Default is the network's own size.
func (s *Spec) GraphWith(c nn.Config) (*nn.Graph, error) {
	c.Size, c.Classes, c.Default = cmp.Or(c.Size, s.Size), cmp.Or(c.Classes, s.Classes, 1000), s.Size
	if 0 < c.Size && c.Size < s.Least {
		return nil, fmt.Errorf("zoo: %s: input size %d, want at least %d", s.Name, c.Size, s.Least)
	}
	if in := s.Input; in != (nn.Shape{}) {
		if c.Size != s.Size {
			in.H, in.W = c.Size, c.Size
		}
		c.Input = in
	}
	return nn.Build(s.Name, s.Build, c)
}

// Default is the list of this package's own networks, in order of publication.
func Default() *List { return builtIn() }

// All is Default().All.
func All() []*Spec { return Default().All() }

// Find is Default().Find.
func Find(name string) (*Spec, error) { return Default().Find(name) }

// Match is Default().Match.
func Match(patterns []string) ([]*Spec, error) { return Default().Match(patterns) }

var builtIn = sync.OnceValue(func() *List {
	var specs []Spec
	for _, f := range slices.Concat(families, pockets) {
		specs = append(specs, f.specs()...)
	}
	l, err := NewList(specs)
	if err != nil {
		panic(err) // a row of a family's table is wrong; a test builds this list
	}
	l.addPublished()
	l.addShipped(pocket.All())
	return l
})

// family is what a family's file declares.
type family struct {
	name    string
	year    int
	paper   string
	classes int // 0 means ImageNet's 1000
	least   int // of the input's pixels, 0 for no limit
	rows    []row
	// Other libraries' spellings, by the row's name.
	aliases []alias
	renames []renames
	// What other libraries compute or prepare otherwise.
	variants []variants
}

// row is one network of a family's table. Its counts are published: params in the goldens, in torchvision's metadata or
// in timm's tables (to two decimals of a million), MACs in the goldens. Where a family's rows have MACs that are this
// package's own count, its file says so.
type row struct {
	name         string
	build        func(*nn.Builder, nn.Value) nn.Value
	size         int
	params, macs int64
	recipe       Recipe
}

type alias struct{ row, name string }

// renames holds for the rows named in of, or for the whole family where of is nil.
type renames struct {
	of    []string
	table weights.Table
}

// renamed is a table whose rows are made when a file is read: those of all networks take 3 MB.
func renamed(name string, rows func() []weights.Rename) weights.Table {
	return weights.Table{Name: name, Make: sync.OnceValue(rows)}
}

// variants hold for the rows named in of, or for the whole family where of is nil.
type variants struct {
	of      []string
	variant Variant
}

func (f family) specs() []Spec {
	var specs []Spec
	for _, r := range f.rows {
		s := Spec{
			Name: r.name, Build: r.build, Size: r.size, Params: r.params, MACs: r.macs, Recipe: r.recipe,
			Classes: f.classes, Least: f.least, Family: f.name, Year: f.year, Paper: f.paper,
		}
		for _, a := range f.aliases {
			if a.row == r.name {
				s.Aliases = append(s.Aliases, a.name)
			}
		}
		for _, v := range f.variants {
			if appliesTo(v.of, r.name) {
				s.Variants = append(s.Variants, v.variant)
			}
		}
		for _, n := range f.renames {
			if appliesTo(n.of, r.name) {
				s.Renames = append(s.Renames, n.table)
			}
		}
		specs = append(specs, s)
	}
	return specs
}

// appliesTo reports whether a row is among those named, or none is named.
func appliesTo(of []string, name string) bool { return of == nil || slices.Contains(of, name) }
