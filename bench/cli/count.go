package cli

import (
	"fmt"
	"path/filepath"

	"zoobench/bench/lessons"
	"zoobench/bench/record"
	"zoobench/reports/findings"
	"zoobench/zoo"
	"zoobench/zoo/nn"
)

// given is what findings rest on besides records: the graphs, the per-sample files in the runs' folders, by the run's identity, and
// what networks learned in the study.
func (a *app) given(folders map[string]string) findings.Given {
	return findings.Given{Networks: counted(a.list), Lessons: lessons.Study(), Samples: func(r *record.Record) ([]record.Sample, error) {
		folder, name := folders[r.RunID], filepath.FromSlash(r.SamplesFile)
		if folder == "" || !filepath.IsLocal(name) {
			return nil, fmt.Errorf("report: %s: no per-sample file", r.Name())
		}
		return record.ReadSamples(filepath.Join(folder, name))
	}}
}

// counted are the graphs of a list's networks as findings count them. A network that cannot be built at its own size is
// left out: whoever runs it is told.
func counted(list *zoo.List) []findings.Network {
	var all []findings.Network
	for _, spec := range list.All() {
		g, err := spec.Graph(0, 0)
		if err != nil {
			continue
		}
		all = append(all, countedNetwork(spec, g))
	}
	return all
}

func countedNetwork(spec *zoo.Spec, g *nn.Graph) findings.Network {
	n := findings.Network{
		Name: spec.Name, Family: spec.Family, Year: spec.Year, Size: spec.Size, Params: g.ParamCount(), MACs: g.MACs(),
	}
	for i := range g.Nodes {
		node := &g.Nodes[i]
		l := findings.Layer{
			Name: node.Name, Op: node.Op.String(), Out: dimensions(node.Out), Params: g.NodeParams(i), MACs: g.NodeMACs(i),
		}
		if len(node.In) > 0 {
			l.In = dimensions(g.Nodes[node.In[0]].Out)
		}
		switch node.Op {
		case nn.Conv:
			l.Groups = node.Kernel.Groups
			if l.Groups == nn.Depthwise {
				l.Groups = l.In[0]
			}
			l.Kernel = [2]int{node.Kernel.H, node.Kernel.W}
		case nn.MaxPool, nn.AvgPool:
			l.Kernel = [2]int{node.Kernel.H, node.Kernel.W}
		}
		n.Layers = append(n.Layers, l)
	}
	return n
}

func dimensions(s nn.Shape) [3]int { return [3]int{s.C, s.H, s.W} }
