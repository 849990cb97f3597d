//go:build !purego

package f32

// muladdc8AVX2 computes Out[r][c] = min(max(In[r][c]*A[r][c]+B[r][c], Lo), Hi).
//
//go:noescape
func muladdc8AVX2(t *Rows)

// mulc8AVX2 computes Out[r][c] = min(max(In[r][c]*A[r][c], Lo), Hi).
//
//go:noescape
func mulc8AVX2(t *Rows)

// addc8AVX2 computes Out[r][c] = min(max(In[r][c]+B[r][c], Lo), Hi).
//
//go:noescape
func addc8AVX2(t *Rows)

// clampc8AVX2 computes Out[r][c] = min(max(In[r][c], Lo), Hi).
//
//go:noescape
func clampc8AVX2(t *Rows)

// colsumc8AVX2 computes Out[0][c] = Σ In[r][c] over r.
//
//go:noescape
func colsumc8AVX2(t *Rows)

// colsqc8AVX2 computes Out[0][c] = Σ (In[r][c] - A[0][c])² over r.
//
//go:noescape
func colsqc8AVX2(t *Rows)

// colmulc8AVX2 computes Out[0][c] = Σ In[r][c]*A[r][c] over r.
//
//go:noescape
func colmulc8AVX2(t *Rows)

// slopec8AVX2 computes Out[r][c] = A[r][c] unless In[r][c] <= Lo or In[r][c] >= Hi, and 0 there.
//
//go:noescape
func slopec8AVX2(t *Rows)

// blendc8AVX2 computes Out[r][c] = A[r][c]*B[1][c] + (In[r][c]*B[0][c] + B[2][c]).
//
//go:noescape
func blendc8AVX2(t *Rows)

// topgradc8AVX2 adds B[0][c] to Out[r][c] for the first r with In[r][c] == A[0][c], or either no number, and sets B[0][c] to 0.
//
//go:noescape
func topgradc8AVX2(t *Rows)

// sigmoidc8AVX2 computes Out[r][c] = 1/(1+exp(-In[r][c])).
//
//go:noescape
func sigmoidc8AVX2(t *Rows)

// siluc8AVX2 computes Out[r][c] = In[r][c]/(1+exp(-In[r][c])).
//
//go:noescape
func siluc8AVX2(t *Rows)

// hardsigmoidc8AVX2 computes Out[r][c] = min(max(In[r][c]+3, 0), 6)/6.
//
//go:noescape
func hardsigmoidc8AVX2(t *Rows)

// hardswishc8AVX2 computes Out[r][c] = In[r][c]*min(max(In[r][c]+3, 0), 6)/6.
//
//go:noescape
func hardswishc8AVX2(t *Rows)

// geluc8AVX2 computes Out[r][c] = In[r][c]*Φ(In[r][c]).
//
//go:noescape
func geluc8AVX2(t *Rows)

// gelutanhc8AVX2 computes Out[r][c] = x/2*(1+tanh(√(2/π)*(x+0.044715*x³))), x being In[r][c].
//
//go:noescape
func gelutanhc8AVX2(t *Rows)

// With x = In[r][c], {op}grad computes Out[r][c] = A[r][c] * slope:
//
//	sigmoid          p*(1-p), p being 1/(1+exp(-x))
//	silu             p + x*p*(1-p), p being 1/(1+exp(-x))
//	hardsigmoid      1/6 if -3 < x < 3, else 0
//	hardswish        0 if x <= -3, 1 if x >= 3, else (2*x+3)/6
//	gelu             Φ(x) + x*exp(-x²/2)/√(2π)
//	gelutanh         the derivative of gelutanh
//
//go:noescape
func sigmoidgradc8AVX2(t *Rows)

//go:noescape
func silugradc8AVX2(t *Rows)

//go:noescape
func hardsigmoidgradc8AVX2(t *Rows)

//go:noescape
func hardswishgradc8AVX2(t *Rows)

//go:noescape
func gelugradc8AVX2(t *Rows)

//go:noescape
func gelutanhgradc8AVX2(t *Rows)

// layernormc8AVX2 computes Out[r][c] = (In[r][c]-mean)/√(variance+Lo)*A[r][c] + B[r][c]; Hi is 1/C.
//
//go:noescape
func layernormc8AVX2(t *Rows)

// softmaxc8AVX2 computes Out[r][c] = exp(Lo*In[r][c]) / Σ exp(Lo*In[r][c]) over c.
//
//go:noescape
func softmaxc8AVX2(t *Rows)

// softmaxgradc8AVX2 computes Out[r][c] = A[r][c]*(In[r][c] - Σ A[r][c]*In[r][c] over c).
//
//go:noescape
func softmaxgradc8AVX2(t *Rows)

// With AVX-512 the same, to the bit.

//go:noescape
func mulc16AVX512(t *Rows)

//go:noescape
func addc16AVX512(t *Rows)

//go:noescape
func colsumc16AVX512(t *Rows)

//go:noescape
func colsqc16AVX512(t *Rows)

//go:noescape
func colmulc16AVX512(t *Rows)

//go:noescape
func slopec16AVX512(t *Rows)

//go:noescape
func blendc16AVX512(t *Rows)

//go:noescape
func sigmoidc16AVX512(t *Rows)

//go:noescape
func siluc16AVX512(t *Rows)

//go:noescape
func hardsigmoidc16AVX512(t *Rows)

//go:noescape
func hardswishc16AVX512(t *Rows)

//go:noescape
func geluc16AVX512(t *Rows)

//go:noescape
func gelutanhc16AVX512(t *Rows)

//go:noescape
func sigmoidgradc16AVX512(t *Rows)

//go:noescape
func silugradc16AVX512(t *Rows)

//go:noescape
func hardsigmoidgradc16AVX512(t *Rows)

//go:noescape
func hardswishgradc16AVX512(t *Rows)

//go:noescape
func gelugradc16AVX512(t *Rows)

//go:noescape
func gelutanhgradc16AVX512(t *Rows)

//go:noescape
func layernormc16AVX512(t *Rows)

//go:noescape
func softmaxc16AVX512(t *Rows)

//go:noescape
func softmaxgradc16AVX512(t *Rows)

// zipc8AVX2 computes Out[r][2*c], Out[r][2*c+1] = In[r][c], B[r][c].
//
//go:noescape
func zipc8AVX2(t *Rows)

// turnc8AVX2 computes Out[c][r] = In[r][c]; RowsLeft and C are multiples of 8.
//
//go:noescape
func turnc8AVX2(t *Rows)
