package zoo

import (
	"fmt"
	"strings"

	"zoobench/zoo/nn"
)

// kerasOptions are what Keras's functions are called with.
type kerasOptions struct {
	Alpha        float64 `json:"alpha"`
	Minimalistic bool    `json:"minimalistic"`
}

// kerasName is the network's name by Keras's function and its options.
func (g golden) kerasName() string {
	name := "keras_" + strings.ToLower(g.Model)
	if a := g.Options.Alpha; a != 0 && a != 1 {
		name += fmt.Sprintf("_%03.0f", 100*a)
	}
	if g.Options.Minimalistic {
		name += "_minimalistic"
	}
	return name
}

// countedByKeras is the number of parameters as Keras counts them, moving statistics too.
func countedByKeras(g *nn.Graph) (n int64) {
	for _, p := range g.Params {
		n += int64(p.Elems())
	}
	return n
}
