package findings

import (
	"fmt"
	"math"
)

// partClaims are about what networks are made of: convolutions, activations, dropout, pools, norms.
func partClaims() []Claim {
	return []Claim{
		{
			ID: "cnns-against-perceptrons", Theme: History,
			Text:     "Convolutional networks classify images better than multi-layer perceptrons of at least as many parameters.",
			Source:   "the review, section 1",
			Needs:    lessonsOf + "pocket_alexnet, pocket_vgg11, pocket_mlp2 and pocket_mlp4",
			Confirms: "each convolutional network is more accurate than each perceptron" + surely + ", and has no more parameters",
			Refutes:  "one is less accurate" + surely + ", or it has more parameters",
			Note:     "Whether they won in history cannot be measured.",
			test: pairsOf([][2]string{
				{"pocket_alexnet.base", "pocket_mlp2.base"}, {"pocket_alexnet.base", "pocket_mlp4.base"},
				{"pocket_vgg11.base", "pocket_mlp2.base"}, {"pocket_vgg11.base", "pocket_mlp4.base"},
			}, noMore),
		},
		{
			ID: "relu-converges", Theme: Recipes,
			Text:   "ReLU converges faster than sigmoid and keeps gradients alive.",
			Source: onAlexNet,
			Needs:  lessonsOf + "pocket_alexnet and pocket_alexnet_pool2, each with ReLU and with sigmoid, with learning curves",
			Confirms: "with ReLU the loss falls to 0.75 of that of guessing in fewer epochs, and the norm of the first layer's gradient in the " +
				"first epoch is larger" + surely,
			Refutes: "it takes more epochs, or the gradient is smaller" + surely,
			Published: "with ReLU, a network of four layers reaches a training error of 25 % on CIFAR-10 six times faster than with tanh " +
				"(AlexNet, 2012, figure 1)",
			Note: "A network that never gets there counts as all of its epochs. A mean over epochs has no interval over images: it rests on " +
				"the seeds alone.",
			test: reluConverges,
		},
		{
			ID: "dropout", Theme: Recipes,
			Text:   "Dropout reduces overfitting in fully connected layers.",
			Source: onAlexNet,
			Needs:  lessonsOf + "pocket_alexnet with dropout of 0.5 and without",
			Confirms: "with dropout, top-1 on images learned from is fewer points above that on others, and the latter is not lower " +
				"by a point" + surely,
			Refutes: "with dropout, it is more points above, or the latter is lower by a point" + surely,
			Note:    "Dropout is off when a network answers, about images learned from too.",
			test:    lessOverfitting([][2]string{{"pocket_alexnet.base", "pocket_alexnet.no-dropout"}}, -1),
		},
		{
			ID: "overlapping-pools", Theme: Recipes,
			Text:      "Pools that overlap improve accuracy.",
			Source:    onAlexNet,
			Needs:     lessonsOf + "pocket_alexnet, with pools of 3×3 at a stride of 2, and pocket_alexnet_pool2, with pools of 2×2",
			Confirms:  "with pools that overlap it is more accurate" + surely,
			Refutes:   "it is less accurate" + surely,
			Published: "0.4 points of top-1 error and 0.3 of top-5 (AlexNet, 2012, section 3.4)",
			test:      pairsOf([][2]string{{"pocket_alexnet.base", "pocket_alexnet_pool2.base"}}),
		},
		{
			ID: "traditional-parts", Theme: Recipes,
			Text:   "Activation functions, dropout and batch normalisation may hold CNNs back.",
			Source: "the review's conclusion",
			Needs: lessonsOf + "pocket_alexnet, the same without dropout and with SiLU for ReLU, and pocket_vgg11 with and without " +
				"batch normalisation",
			Confirms: "a network without one of these parts, or with SiLU for ReLU, is more accurate" + surely + " (one of them is enough)",
			Refutes:  "each of them is less accurate" + surely,
			Note:     "The finding folded-batch-norm shows what normalisation costs in time.",
			test: studied(gainPoints, func(q *inquiry) {
				for _, p := range [][2]string{
					{"pocket_alexnet_silu.base", "pocket_alexnet.base"}, {"pocket_alexnet.no-dropout", "pocket_alexnet.base"},
					{"pocket_vgg11_plain.base", "pocket_vgg11.base"},
				} {
					before := len(q.all)
					if q.better(p[0], p[1]); len(q.all) > before {
						q.all[before].of = "parts"
					}
				}
			}),
		},
	}
}

func reluConverges(e *evidence) Result {
	return studied("epochs that sigmoid takes more, and logarithm of the ratio of gradients", func(q *inquiry) {
		q.heads = duelHeads("figure")
		for _, p := range [][2]string{
			{"pocket_alexnet_sigmoid.base", "pocket_alexnet.base"}, {"pocket_alexnet_pool2_sigmoid.base", "pocket_alexnet_pool2.base"},
		} {
			q.compare(epochsTo(share), p[0], p[1], 0, slower(p[0], p[1]))
			q.compare(firstGradient, p[1], p[0], 0, func(mid float64) string {
				return fmt.Sprintf("the first layer's gradient in %s was %.3g times as large as in %s", short(p[1]), math.Exp(mid), short(p[0]))
			})
		}
	})(e)
}

// slower says how many more epochs a took than b, as a clause.
func slower(a, b string) func(mid float64) string {
	return func(mid float64) string {
		if mid < 0 {
			a, b, mid = b, a, -mid
		}
		return fmt.Sprintf("%s took %.1f epochs longer than %s to begin to learn", short(a), mid, short(b))
	}
}

// lessOverfitting tests, pair by pair, that a's accuracy on images learned from is fewer points above that on others than b's,
// and that the latter is above b's by a bound.
func lessOverfitting(pairs [][2]string, bound float64) func(*evidence) Result {
	return studied("points of overfitting that the second has more, and points of top-1 that the first has more", func(q *inquiry) {
		for _, p := range pairs {
			a, b := p[0], p[1]
			gapA, okA := q.sum(term{1, a, seen}, term{-1, a, right})
			gapB, okB := q.sum(term{1, b, seen}, term{-1, b, right})
			m, ok := q.sum(term{1, b, seen}, term{-1, b, right}, term{-1, a, seen}, term{1, a, right})
			if okA && okB && ok {
				claims, value := m.above(0)
				na, ra := named(a)
				nb, rb := named(b)
				q.add(comparison{
					cells: []string{na, ra, "overfits by " + gapA.span.String(), nb, rb, "overfits by " + gapB.span.String(), m.span.String(),
						q.seeds(a, b)},
					says: fmt.Sprintf("%s was %.1f points better on images learned from than on others, %s %.1f", short(a), gapA.mid, short(b),
						gapB.mid),
					name: short(a) + " overfits less", shown: m.span, claims: claims, p: value,
				})
			}
			q.compare(right, a, b, bound, func(mid float64) string { return ahead(short(a), short(b), mid) })
		}
	})
}
