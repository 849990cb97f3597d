package findings

import (
	"fmt"
	"math"
	"slices"
)

// dataClaims are about recipes, attention and the number of images.
func dataClaims() []Claim {
	return []Claim{
		{
			ID: "augmentation", Theme: Recipes,
			Text:     "Flips, crops and colour changes reduce overfitting.",
			Source:   onAlexNet,
			Needs:    lessonsOf + "pocket_resnet20 and pocket_vgg11 with augmentation and without",
			Confirms: "with it, top-1 on images learned from is fewer points above that on others, and the latter is higher" + surely,
			Refutes:  "it is more points above, or the latter is lower" + surely,
			Published: "without translations and flips AlexNet \"suffers from substantial overfitting\"; changes of colour reduce top-1 error by " +
				"over 1 % (AlexNet, 2012, section 4.1)",
			test: lessOverfitting([][2]string{
				{"pocket_resnet20.augmented", "pocket_resnet20.base"}, {"pocket_vgg11.augmented", "pocket_vgg11.base"},
			}, 0),
		},
		{
			ID: "multi-scale-training", Theme: Recipes,
			Text:      "Training at several scales works as augmentation.",
			Source:    "the review, on VGG; VGG, arXiv:1409.1556, table 3",
			Needs:     lessonsOf + "pocket_vgg11 and pocket_vgg16, with parts of images at one scale and at several",
			Confirms:  "with several scales both are more accurate" + surely,
			Refutes:   "one is less accurate" + surely,
			Published: "top-1 error at one scale 27.0 and 27.3 %, at several 25.6 and 25.5 (table 3, D and E at 384)",
			Note:      "One scale is crops of the padded image; several are crops of 50 to 100 % of the area, enlarged. Both are flipped.",
			test: pairsOf([][2]string{
				{"pocket_vgg11.scales", "pocket_vgg11.crops"}, {"pocket_vgg16.scales", "pocket_vgg16.crops"},
			}),
		},
		{
			ID: "vit-needs-data", Theme: Recipes,
			Text:     "A vision transformer needs more images than a convolutional network.",
			Source:   "ViT, arXiv:2010.11929, section 4.3 and figure 4",
			Needs:    lessonsOf + "pocket_vit and pocket_resnet20 by one recipe, from 2,500, 10,000 and 20,000 images in as many steps",
			Confirms: "from 2,500 images the convolutional network is more accurate, and from 20,000 the transformer gains more over 2,500" + surely,
			Refutes:  "the transformer is more accurate from 2,500, or gains less" + surely,
			Published: "with subsets of JFT of 9 M images ViT-B/32 is behind a ResNet-50 of as much cost, with 90 M and more ahead " +
				"(section 4.3)",
			Note: "The finding pre-training-decides is about ImageNet.",
			test: studied(gainPoints, func(q *inquiry) {
				q.better("pocket_resnet20.few", "pocket_vit.few")
				q.more("the transformer's gain over the other's", "with eight times the images the transformer gained %.2f points, the other %.2f",
					[2]string{"pocket_vit.many", "pocket_vit.few"}, [2]string{"pocket_resnet20.many", "pocket_resnet20.few"}, right)
			}),
		},
		{
			ID: "convolution-with-attention", Theme: Attention,
			Text:     "Convolution with attention beats either alone at the same cost.",
			Source:   "CoAtNet, arXiv:2106.04803, section 4.2; the review's conclusion on transformers",
			Needs:    lessonsOf + "pocket_coatnet, pocket_vit and pocket_efficientnet_wide by one recipe, and their graphs",
			Confirms: "CoAtNet is more accurate than both" + surely + ", with no more MACs (4 % apart)",
			Refutes:  "it is less accurate than one" + surely + ", or takes more MACs",
			Note: "The convolutional network has the blocks that CoAtNet's first stages have. The finding convolution-and-attention is about " +
				"ImageNet.",
			Published: "CoAtNet-0: 81.6 % for 4.2 G at 224 px",
			test: pairsOf([][2]string{
				{"pocket_coatnet.adamw", "pocket_vit.adamw"}, {"pocket_coatnet.adamw", "pocket_efficientnet_wide.adamw"},
			}, noMoreMACs),
		},
		{
			ID: "transfer-to-other-classes", Theme: Recipes,
			Text:   "Pre-training on other classes makes a network more accurate, and the more so the fewer images there are.",
			Source: "BiT, arXiv:1912.11370, section 3.4 and figure 3; the review's conclusion on training",
			Needs: lessonsOf + "pocket_resnet20 of half of the classes, from 10 and 50 images each, from scratch " +
				"and from weights of the other half",
			Confirms: "pre-trained it is more accurate with 10 images a class and with 50, and gains more with 10" + surely,
			Refutes:  "it is less accurate with one of them, or gains less with 10" + surely,
			Note:     "The findings transfer-helps and transfer-by-size are about ImageNet.",
			test: studied(gainPoints, func(q *inquiry) {
				q.better("pocket_resnet20.tuned-10", "pocket_resnet20.fresh-10")
				q.better("pocket_resnet20.tuned-50", "pocket_resnet20.fresh-50")
				q.more("gain with 10 images over that with 50", "pre-training gained %.2f points with 10 images a class, %.2f with 50",
					[2]string{"pocket_resnet20.tuned-10", "pocket_resnet20.fresh-10"},
					[2]string{"pocket_resnet20.tuned-50", "pocket_resnet20.fresh-50"}, right)
			}),
		},
		{
			ID: "recipes-spread-as-networks", Theme: Recipes,
			Text:   "One network under several recipes spreads as far as networks under one recipe.",
			Source: "ResNet strikes back, arXiv:2110.00476, abstract; the review's conclusion on training",
			Needs: lessonsOf + "pocket_resnet20 by five recipes, and pocket_vgg16, inception_resnet, preresnet20, seresnet20, mobilenetv2 and " +
				"resnet20 by one",
			Confirms: "two recipes are farther apart than each two networks" + surely + " (of the pairs of recipes one is enough)",
			Refutes:  "each two recipes are nearer than some two networks" + surely,
			Note:     "The finding recipe-spread is about ImageNet.",
			test:     recipesSpread,
		},
	}
}

// The recipes of one network, and the networks by one recipe, whose spreads are compared.
var (
	spreadRecipes = []string{"base", "augmented", "adamw", "mixup", "constant"}
	spreadModels  = []string{"resnet20", "vgg16", "inception_resnet", "preresnet20", "seresnet20", "mobilenetv2"}
)

func recipesSpread(e *evidence) Result {
	return studied("points of top-1 that two recipes are farther apart than the two farthest networks", func(q *inquiry) {
		q.heads = []string{
			"better recipe", "top-1", "worse recipe", "top-1", "points apart", "farthest networks", "points apart", "difference", "seeds",
		}
		byMean := func(names []string) (sorted []string) {
			mean := map[string]float64{}
			for _, n := range names {
				if m, ok := q.sum(term{1, n, right}); ok {
					mean[n] = m.mid
				}
			}
			if len(mean) < len(names) {
				return nil
			}
			slices.SortStableFunc(names, func(a, b string) int { return int(math.Copysign(1, mean[b]-mean[a])) })
			return names
		}
		var recipes, networks []string
		for _, r := range spreadRecipes {
			recipes = append(recipes, "pocket_resnet20."+r)
		}
		for _, n := range spreadModels {
			networks = append(networks, "pocket_"+n+".base")
		}
		recipes, networks = byMean(recipes), byMean(networks)
		if recipes == nil || networks == nil {
			return
		}
		for i, a := range recipes {
			for _, b := range recipes[i+1:] {
				q.apart(a, b, networks)
			}
		}
	})(e)
}

// apart compares how far recipes a and b are apart with each two networks, the better one first. It is as claimed if they are
// farther apart than each two: the largest p-value decides. It is not if they are nearer than some two: the least p-value,
// times the number of pairs, decides.
func (q *inquiry) apart(a, b string, networks []string) {
	own, _ := q.gain(right, a, b)
	var widest, against estimate // of own less the networks': the least difference, and that of the networks
	var far [2]string
	largest, least, n := 0.0, 1.0, 0.0
	for i, x := range networks {
		for _, y := range networks[i+1:] {
			m, ok := q.sum(term{1, a, right}, term{-1, b, right}, term{-1, x, right}, term{1, y, right})
			if !ok {
				return
			}
			p := m.at(0)
			n++
			if largest = max(largest, p); m.mid < 0 {
				least = min(least, p)
			}
			if far[0] == "" || m.mid < widest.mid {
				widest, far = m, [2]string{x, y}
				against, _ = q.gain(right, x, y)
			}
		}
	}
	claims, p := yes, largest
	if widest.mid <= 0 {
		claims, p = no, min(1, n*least)
	}
	_, better := named(a)
	_, worse := named(b)
	q.add(comparison{
		cells: []string{better, q.mean(right, a), worse, q.mean(right, b), own.span.String(), short(far[0]) + " and " + short(far[1]),
			against.span.String(), widest.span.String(), q.seeds(a, b, far[0], far[1])},
		says: fmt.Sprintf("%s and %s were %.2f points apart, %s and %s %.2f", better, worse, own.mid, short(far[0]), short(far[1]), against.mid),
		name: better + " and " + worse, shown: widest.span, claims: claims, p: p, of: "recipes",
	})
}
