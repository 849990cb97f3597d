package engine

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/internal/testenv"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/nn"
)

//go:generate go test -run ^TestKernelShapes$ -update

// shapesFile is what the kernels' benchmarks run.
const shapesFile = "../../kernels/testdata/shapes.tsv"

// A nominal machine says how much of a network's time a layer takes: the longer of its multiply-adds at this rate and
// its weights, inputs and outputs at that one, each once. They are a core's of the Zen 3 kind; no benchmark's result
// depends on them, only which layers are benchmarked.
const (
	nominalMACs  = 49e9
	nominalBytes = 14e9
)

// keep is how many shapes of a kind are benchmarked, those with the largest shares of time. What a layer does on its
// way out besides (a clamp, a sum) makes no shape of its own; the commonest form stands for all.
var keep = map[string]int{
	"Conv/stem": 2, "Conv/pointwise": 8, "Conv/pointwise_gelu": 1, "Conv/pointwise_silu": 1, "Conv/pointwise_hard_swish": 1,
	"Conv/direct": 4, "Conv/grouped": 2, "Conv/linear": 2, "Winograd/3x3": 7,
	"Depthwise/3x3s1": 4, "Depthwise/3x3s2": 2, "Depthwise/5x5s1": 1, "Depthwise/5x5s2": 1, "Depthwise/7x7s1": 1, "Depthwise/silu": 2,
	"Depthwise/grouped": 1, "Pool/max": 1, "Pool/average": 1, "Pool/global": 1, "Pointwise/gate": 1, "Pointwise/affine": 1,
	"LayerNorm/channels": 1, "Attention/all": 2, "Attention/window": 1,
}

// mostWeights leaves out VGG's first linear layer: packing its 103 million weights takes longer than timing all the
// rest.
const mostWeights = 20e6

// A benchShape is a layer's shape as a line of the file has it.
type benchShape struct {
	kind, text       string // the benchmark and its kind; the shape in key=value form
	layers, networks int    // that have it
	share            float64
	forms            map[string]float64 // share by what is done on the way out, in key=value form
}

// form is the commonest way out.
func (s *benchShape) form() string {
	best := ""
	for _, form := range slices.Sorted(maps.Keys(s.forms)) {
		if best == "" || s.forms[form] > s.forms[best] {
			best = form
		}
	}
	return best
}

// TestKernelShapes holds the file to the shapes of the default experiment's layers.
func TestKernelShapes(t *testing.T) {
	models := defaultModels(t)
	all := map[string]*benchShape{}
	kinds := map[string]float64{}
	for _, name := range models {
		spec, err := zoo.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := spec.Graph(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		count(g, len(models), all, kinds)
	}
	text, lines := shapesText(t, len(models), all, kinds)
	t.Logf("%d shapes of %d", lines, len(all))
	if lines < 25 || lines > 60 {
		t.Errorf("%d benchmarks, want 25 to 60: enough to see all kernels, few enough to run in minutes", lines)
	}
	for kind := range keep {
		if kinds[kind] == 0 {
			t.Errorf("no layer is of kind %s", kind)
		}
	}
	testenv.Golden(t, shapesFile, text)
}

// defaultModels are the networks of the default experiment.
func defaultModels(t *testing.T) []string {
	t.Helper()
	file, err := experiment.Load("../../experiments.yaml", experiment.Known{
		Corruptions: func(word string) ([]string, error) { return []string{word}, nil }, // of no network's shape
		ISAs:        []string{"generic", "avx2", "avx512", "neon"},
		Precisions:  AllPrecisions(),
		Networks: func(pattern string) (names, nearest []string) {
			specs, err := zoo.Default().Match([]string{pattern})
			if err != nil {
				return nil, nil
			}
			for _, s := range specs {
				names = append(names, s.Name)
			}
			return names, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(file.Experiments, func(e experiment.Experiment) bool { return e.Name == "default" })
	if i < 0 {
		t.Fatal("experiments.yaml has no experiment default")
	}
	return file.Experiments[i].Models
}

// shapesText is the file: of each kind, the shapes with the largest shares of time.
func shapesText(t *testing.T, networks int, all map[string]*benchShape, kinds map[string]float64) (file []byte, lines int) {
	var text bytes.Buffer
	fmt.Fprintf(&text, "# The kernels' benchmarks: shapes of the layers of the %d networks of the default experiment. "+
		"A line is a benchmark, its\n"+
		"# shape, how many layers and networks have it, and its share of the networks' time on a machine of 49 G multiply-adds\n"+
		"# and 14 GB a second, in percent. Written by: go generate ./zoo/engine\n", networks)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		var of []*benchShape
		for _, s := range all {
			if s.kind == kind {
				of = append(of, s)
			}
		}
		slices.SortFunc(of, func(a, b *benchShape) int { return cmp.Or(cmp.Compare(b.share, a.share), cmp.Compare(a.text, b.text)) })
		kept := 0.0
		for _, s := range of[:min(keep[kind], len(of))] {
			name, kind, _ := strings.Cut(s.kind, "/")
			fmt.Fprintf(&text, "%s\tkind=%s/%s%s\t%d\t%d\t%.3f\n", name, kind, s.text, s.form(), s.layers, s.networks, 100*s.share)
			kept += s.share
			lines++
		}
		t.Logf("%-18s %3d shapes, %5.2f %% of the time, %5.2f %% kept", kind, len(of), 100*kinds[kind], 100*kept)
	}
	return text.Bytes(), lines
}

// count adds a network's layers, all networks counting alike.
func count(g *nn.Graph, networks int, all map[string]*benchShape, kinds map[string]float64) {
	p := &planner{Engine: &Engine{graph: g}}
	p.unify()
	total := 0.0
	for k := range p.groups {
		total += p.nominalTime(&p.groups[k])
	}
	seen := map[string]bool{}
	for k := range p.groups {
		kind, text, form := p.benchmark(&p.groups[k])
		if kind == "" {
			continue
		}
		key := kind + "\t" + text
		s := all[key]
		if s == nil {
			s = &benchShape{kind: kind, text: text, forms: map[string]float64{}}
			all[key] = s
		}
		if !seen[key] {
			seen[key] = true
			s.networks++
		}
		s.layers++
		share := p.nominalTime(&p.groups[k]) / total / float64(networks)
		s.share += share
		s.forms[form] += share
		kinds[kind] += share
	}
}

// nominalTime is a group's time on the nominal machine, in seconds.
func (p *planner) nominalTime(g *group) float64 {
	inside := func(i int) bool { return slices.Contains(g.nodes, i) }
	elems := p.graph.Nodes[g.last()].Out.Elems()
	macs, params := int64(0), int64(0)
	for _, i := range g.nodes {
		macs += p.graph.NodeMACs(i)
		params += p.graph.NodeParams(i)
		for _, in := range p.graph.Nodes[i].In {
			if !inside(in) {
				elems += p.graph.Nodes[in].Out.Elems()
			}
		}
	}
	return max(float64(macs)/nominalMACs, 4*(float64(elems)+float64(params))/nominalBytes)
}

// benchmark is the benchmark that runs a group's kernel, its kind after a slash, the shape, and what is done on the way
// out; "" where there is none: copies, and kernels of few networks.
func (p *planner) benchmark(g *group) (kind, shape, form string) {
	n := &p.graph.Nodes[g.nodes[0]]
	out := p.graph.Nodes[g.last()].Out
	size := func(s nn.Shape) string { return fmt.Sprintf("%dx%dx%d", s.C, s.H, s.W) }
	in := func() string { return size(p.graph.Nodes[n.In[0]].Out) }
	if g.act != nn.None {
		form = "/act=" + g.act.String()
	}
	if len(g.residual) > 0 {
		form += "/add=1"
	}
	switch n.Op {
	case nn.Conv, nn.Linear:
		s := p.geometry(g)
		if s.SH != s.SW || s.DH != 1 || s.DW != 1 || s.OC*s.C/s.Groups*s.KH*s.KW > mostWeights {
			return "", "", ""
		}
		shape = fmt.Sprintf("in=%dx%dx%d/out=%dx%dx%d/k=%dx%d/s=%d/p=%d,%d/g=%d",
			s.C, s.H, s.W, s.OC, s.OH, s.OW, s.KH, s.KW, s.SH, s.Top, s.Left, s.Groups)
		return kindOf(&s, p.depthwise(g.nodes[0]), g.act), shape, form
	case nn.MaxPool, nn.AvgPool:
		kind = map[bool]string{true: "Pool/max", false: "Pool/average"}[n.Op == nn.MaxPool]
		s := p.poolShape(n)
		return kind, fmt.Sprintf("in=%s/out=%s/k=%dx%d/s=%d/p=%d,%d", in(), size(out), s.KH, s.KW, s.SH, s.Top, s.Left), ""
	case nn.AdaptiveAvgPool:
		if out.H == 1 && out.W == 1 {
			return "Pool/global", fmt.Sprintf("in=%s/out=%s", in(), size(out)), ""
		}
	case nn.Mul:
		return "Pointwise/gate", "in=" + in(), form
	case nn.BatchNorm, nn.Scale, nn.Affine:
		return "Pointwise/affine", "in=" + in(), form
	case nn.LayerNorm:
		return "LayerNorm/channels", "in=" + in(), ""
	case nn.Attention:
		a := p.attentionShape(n)
		kind, shape = "Attention/all", fmt.Sprintf("grid=%dx%d/heads=%d/d=%d", a.H, a.W, a.Heads, a.D)
		if a.Window > 0 {
			kind, shape = "Attention/window", fmt.Sprintf("%s/window=%d/shift=%d", shape, a.Window, a.Shift)
		}
		if len(n.In) > 1 {
			shape += "/bias=1"
		}
		return kind, shape, ""
	}
	return "", "", ""
}

// kindOf is a convolution's kind. Activations that are no clamp take time of their own.
func kindOf(s *kernels.ConvShape, depthwise bool, act nn.Act) string {
	switch {
	case depthwise && s.Groups < s.C:
		return "Depthwise/grouped"
	case depthwise && act > nn.ReLU6:
		return "Depthwise/" + act.String()
	case depthwise:
		return fmt.Sprintf("Depthwise/%dx%ds%d", s.KH, s.KW, s.SH)
	case s.PrefersWinograd():
		return "Winograd/3x3"
	case s.Groups > 1:
		return "Conv/grouped"
	case s.OH*s.OW == 1:
		return "Conv/linear"
	case s.C < 8:
		return "Conv/stem"
	case s.KH*s.KW == 1 && act > nn.ReLU6:
		return "Conv/pointwise_" + act.String()
	case s.KH*s.KW == 1:
		return "Conv/pointwise"
	}
	return "Conv/direct"
}
