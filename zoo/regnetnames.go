package zoo

import (
	"fmt"

	"zoobench/zoo/weights"
)

// torchvisionNames is the table of one RegNet: torchvision counts blocks from 0 where timm counts from 1, so that each
// needs rows of its own.
func (r regNet) torchvisionNames() []weights.Rename {
	rows := []weights.Rename{
		{Old: "stem.0.*", New: "stem.conv.*"}, {Old: "stem.1.*", New: "stem.bn.*"}, {Old: "fc.*", New: "head.fc.*"},
	}
	for i, s := range r.stages() {
		for j := range s.blocks {
			from, to := fmt.Sprintf("trunk_output.block%d.block%d-%d.", i+1, i+1, j), fmt.Sprintf("s%d.b%d.", i+1, j+1)
			names := [][2]string{{"f.a.", "conv1."}, {"f.b.", "conv2."}, {"f.c.", "conv3."}}
			if j == 0 {
				names = append(names, [2]string{"proj.", "downsample."})
			}
			for _, n := range names {
				rows = append(rows,
					weights.Rename{Old: from + n[0] + "0.*", New: to + n[1] + "conv.*"},
					weights.Rename{Old: from + n[0] + "1.*", New: to + n[1] + "bn.*"})
			}
			if r.se {
				rows = append(rows, weights.Rename{Old: from + "f.se.*.*", New: to + "se.*.*"})
			}
		}
	}
	return rows
}
