package findings

import (
	"fmt"
	"math"
)

// depthClaims are about depth, and sums around blocks.
func depthClaims() []Claim {
	return []Claim{
		{
			ID: "plain-nets-degrade", Theme: Depth,
			Text:   "Without residuals, training error rises with depth; with them it does not.",
			Source: "ResNet, arXiv:1512.03385, section 4.2 and figure 6",
			Needs:  lessonsOf + "pocket_plain20 and 56 and pocket_resnet20 and 56",
			Confirms: "the plain network of 56 layers is worse on images learned from than that of 20, and the residual one " +
				"is not by a point" + surely,
			Refutes: "the plain one is better, or the residual one is worse by a point" + surely,
			Published: "on CIFAR-10 the training error of plain networks rises from 20 to 56 layers; ResNets' falls from 20 to 110 " +
				"(figure 6)",
			test: plainDegrades,
		},
		{
			ID: "depth-pays-with-residuals", Theme: Depth,
			Text:      "Deeper ResNets are more accurate, by steps that shrink.",
			Source:    "ResNet, arXiv:1512.03385, table 6; the review's conclusion on ResNet",
			Needs:     lessonsOf + "pocket_resnet8, 20 and 56",
			Confirms:  "from 8 to 20 and from 20 to 56 layers accuracy rises, and by less in the second step" + surely,
			Refutes:   "accuracy falls in a step, or the second step is larger" + surely,
			Published: "CIFAR-10: error 8.75, 7.51, 7.17, 6.97 and 6.43 % at 20, 32, 44, 56 and 110 layers (table 6)",
			Note:      "Both steps make the network 2.5 to 2.8 times as deep. The finding depth-pays tests published weights on ImageNet.",
			test: studied(gainPoints, func(q *inquiry) {
				const small, middle, large = "pocket_resnet8.base", "pocket_resnet20.base", "pocket_resnet56.base"
				q.better(middle, small)
				q.better(large, middle)
				q.more("first step over second", "the first step gained %.2f points, the second %.2f", [2]string{middle, small},
					[2]string{large, middle}, right)
			}),
		},
		{
			ID: "pre-activation", Theme: Depth,
			Text:     "Pre-activation makes deep ResNets more accurate, and the more so the deeper they are.",
			Source:   "ResNet v2, arXiv:1603.05027, tables 2 and 3; the review's conclusion on ResNet v2",
			Needs:    lessonsOf + "pocket_preresnet20 and 56 and pocket_resnet20 and 56",
			Confirms: "at 56 layers pre-activation gains, and more than at 20" + surely,
			Refutes:  "at 56 layers it loses, or gains less than at 20" + surely,
			Published: "CIFAR-10: error 6.61 to 6.37 % at 110 layers, 5.93 to 5.46 at 164, 7.61 to 4.92 at 1001 (tables 2 and 3: the paper claims " +
				"nothing of 56)",
			Note: "The finding resnet-v2-accuracy is about ImageNet.",
			test: studied(gainPoints, func(q *inquiry) {
				q.better("pocket_preresnet56.base", "pocket_resnet56.base")
				q.more("gain at 56 over 20 layers", "pre-activation gained %.2f points at 56 layers, %.2f at 20",
					[2]string{"pocket_preresnet56.base", "pocket_resnet56.base"}, [2]string{"pocket_preresnet20.base", "pocket_resnet20.base"}, right)
			}),
		},
	}
}

func plainDegrades(e *evidence) Result {
	const what = "points of top-1 on images learned from that the first has more than the second"
	return studied(what, func(q *inquiry) {
		q.heads = duelHeads("top-1 in training")
		worse := func(deep string) func(float64) string {
			return func(mid float64) string {
				word := "more"
				if mid < 0 {
					word = "fewer"
				}
				return fmt.Sprintf("on images learned from, %s made %.2f points %s errors than with 20 layers", short(deep), math.Abs(mid), word)
			}
		}
		q.compare(seen, "pocket_plain20.base", "pocket_plain56.base", 0, worse("pocket_plain56.base"))
		q.compare(seen, "pocket_resnet56.base", "pocket_resnet20.base", -1, func(mid float64) string {
			return worse("pocket_resnet56.base")(-mid)
		})
	})(e)
}
