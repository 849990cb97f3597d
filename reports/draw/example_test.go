package draw_test

import (
	"bytes"
	"fmt"
	"strings"

	"zoobench/reports/draw"
)

// Two networks, their accuracy against their latency.
func ExampleScatter() {
	s := draw.Scatter{
		XLabel: "latency (ms), log scale", YLabel: "top-1 accuracy (%)", Y: draw.Percent, Front: "Pareto front",
		Points: []draw.Point{
			{Name: "resnet18", Family: "resnet", X: 12.1, XLo: 12.0, XHi: 12.2, Y: 69.8, YLo: 69.4, YHi: 70.2},
			{Name: "vgg16", Family: "vgg", X: 88.5, XLo: 88.1, XHi: 89.3, Y: 71.6, YLo: 71.2, YHi: 72.0},
		},
	}
	f := s.Figure(draw.Caption{Title: "Accuracy against latency"})
	var svg bytes.Buffer
	err := f.SVG(&svg)
	fmt.Println(strings.Contains(svg.String(), "<title>Accuracy against latency</title>"), err)
	for _, name := range []string{"resnet18", "vgg16", "Pareto front"} {
		fmt.Println(name, strings.Contains(svg.String(), ">"+name+"</text>"))
	}
	// Output:
	// true <nil>
	// resnet18 true
	// vgg16 true
	// Pareto front true
}
