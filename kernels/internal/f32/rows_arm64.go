//go:build !purego

package f32

// muladdc4NEON computes Out[r][c] = min(max(In[r][c]*A[r][c]+B[r][c], Lo), Hi).
//
//go:noescape
func muladdc4NEON(t *Rows)

// mulc4NEON computes Out[r][c] = min(max(In[r][c]*A[r][c], Lo), Hi).
//
//go:noescape
func mulc4NEON(t *Rows)

// addc4NEON computes Out[r][c] = min(max(In[r][c]+B[r][c], Lo), Hi).
//
//go:noescape
func addc4NEON(t *Rows)

// clampc4NEON computes Out[r][c] = min(max(In[r][c], Lo), Hi).
//
//go:noescape
func clampc4NEON(t *Rows)

// colsumc16NEON computes Out[0][c] = Σ In[r][c] over r.
//
//go:noescape
func colsumc16NEON(t *Rows)

// colsqc16NEON computes Out[0][c] = Σ (In[r][c] - A[0][c])² over r.
//
//go:noescape
func colsqc16NEON(t *Rows)

// sigmoidc4NEON computes Out[r][c] = 1/(1+exp(-In[r][c])).
//
//go:noescape
func sigmoidc4NEON(t *Rows)

// siluc4NEON computes Out[r][c] = In[r][c]/(1+exp(-In[r][c])).
//
//go:noescape
func siluc4NEON(t *Rows)

// hardsigmoidc4NEON computes Out[r][c] = min(max(In[r][c]+3, 0), 6)/6.
//
//go:noescape
func hardsigmoidc4NEON(t *Rows)

// hardswishc4NEON computes Out[r][c] = In[r][c]*min(max(In[r][c]+3, 0), 6)/6.
//
//go:noescape
func hardswishc4NEON(t *Rows)

// geluc4NEON computes Out[r][c] = In[r][c]*Φ(In[r][c]).
//
//go:noescape
func geluc4NEON(t *Rows)

// gelutanhc4NEON computes Out[r][c] = x/2*(1+tanh(√(2/π)*(x+0.044715*x³))), x being In[r][c].
//
//go:noescape
func gelutanhc4NEON(t *Rows)

// layernormc4NEON computes Out[r][c] = (In[r][c]-mean)/√(variance+Lo)*A[r][c] + B[r][c]; Hi is 1/C.
//
//go:noescape
func layernormc4NEON(t *Rows)

// softmaxc4NEON computes Out[r][c] = exp(Lo*In[r][c]) / Σ exp(Lo*In[r][c]) over c.
//
//go:noescape
func softmaxc4NEON(t *Rows)
