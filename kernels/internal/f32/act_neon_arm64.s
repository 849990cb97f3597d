//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "rows_neon_arm64.h"

// Activations that are no clamp: V0 is the input, V25 is 1; kernels/_asm/rows.go derives the formulas.

EXP_TABLES

DATA hard<>+0(SB)/4, $3.0
DATA hard<>+4(SB)/4, $6.0
DATA hard<>+8(SB)/4, $0.16666667
GLOBL hard<>(SB), RODATA|NOPTR, $12

DATA gelu<>+0(SB)/4, $0.70710678118
DATA gelu<>+4(SB)/4, $0.4
DATA gelu<>+8(SB)/4, $-0.1001296117901802
DATA gelu<>+12(SB)/4, $0.35457363724708557
DATA gelu<>+16(SB)/4, $-0.18545392155647278
DATA gelu<>+20(SB)/4, $0.23413705825805664
DATA gelu<>+24(SB)/4, $0.080911785364151
DATA gelu<>+28(SB)/4, $0.11596104502677917
GLOBL gelu<>(SB), RODATA|NOPTR, $32

DATA gelutanh<>+0(SB)/4, $0.07135481627
DATA gelutanh<>+4(SB)/4, $1.5957691216
GLOBL gelutanh<>(SB), RODATA|NOPTR, $8

#define PUT(move, bytes, F) move F, (R9); ADD $bytes, R8; ADD $bytes, R9

// SIGMOID_OF makes V1 = 1/(1 + e^−V0).
#define SIGMOID_OF EXP; FADD4(25, 1, 1); FDIV4(1, 25, 1)

#define SIGMOID(move, bytes, only, repeat) move (R8), F0; SIGMOID_OF; PUT(move, bytes, F1)
#define SILU(move, bytes, only, repeat) move (R8), F0; MOV4(0, 4); SIGMOID_OF; FMUL4(4, 1, 1); PUT(move, bytes, F1)

// HARD makes V1 = min(max(V0 + 3, 0), 6)/6, with 3, 6, 1/6 and 0 in V16 to V19.
#define HARD FADD4(16, 0, 1); FMAX4(19, 1, 1); FMIN4(17, 1, 1); FMUL4(18, 1, 1)
#define HARD_CONSTANTS \
	MOVD $hard<>(SB), R8; \
	VLD1R.P 4(R8), [V16.S4]; \
	VLD1R.P 4(R8), [V17.S4]; \
	VLD1R.P 4(R8), [V18.S4]; \
	ZERO4(19)
#define HARDSIGMOID(move, bytes, only, repeat) move (R8), F0; HARD; PUT(move, bytes, F1)
#define HARDSWISH(move, bytes, only, repeat) move (R8), F0; HARD; FMUL4(0, 1, 1); PUT(move, bytes, F1)

// GELU: V4 is x, V5 is z = |x|/√2, V6 is t = 1/(1 + 0.4z), V26 to V31 the polynomial q, V8 and V9 the first two of the
// table. V1 becomes e^(−z²), then Φ(−|x|)·x = q·t·e^(−z²)·x; for x ≥ 0 the result is x less that.
#define GELU_CONSTANTS \
	MOVD $gelu<>(SB), R8; \
	VLD1R.P 4(R8), [V8.S4]; \
	VLD1R.P 4(R8), [V9.S4]; \
	VLD1R.P 4(R8), [V26.S4]; \
	VLD1R.P 4(R8), [V27.S4]; \
	VLD1R.P 4(R8), [V28.S4]; \
	VLD1R.P 4(R8), [V29.S4]; \
	VLD1R.P 4(R8), [V30.S4]; \
	VLD1R.P 4(R8), [V31.S4]
#define GELU(move, bytes, only, repeat) \
	move (R8), F4; \
	FABS4(4, 5); FMUL4(8, 5, 5); \
	MOV4(25, 6); FMLA4(5, 9, 6); FDIV4(6, 25, 6); \
	FMUL4(5, 5, 0); EXP; \
	MOV4(27, 2); FMLA4(6, 26, 2); \
	MOV4(28, 3); FMLA4(6, 2, 3); \
	MOV4(29, 2); FMLA4(6, 3, 2); \
	MOV4(30, 3); FMLA4(6, 2, 3); \
	MOV4(31, 2); FMLA4(6, 3, 2); \
	FMUL4(6, 2, 2); FMUL4(2, 1, 1); FMUL4(4, 1, 1); \
	FSUB4(1, 4, 2); FCMLT4(4, 3); \
	VBIT V3.B16, V1.B16, V2.B16; \
	PUT(move, bytes, F2)

// GELUTANH: V4 is x, V0 becomes 2√(2/π)·(x + 0.044715x³); V8 and V9 are the table.
#define GELUTANH_CONSTANTS MOVD $gelutanh<>(SB), R8; VLD1R.P 4(R8), [V8.S4]; VLD1R.P 4(R8), [V9.S4]
#define GELUTANH(move, bytes, only, repeat) \
	move (R8), F4; \
	FMUL4(4, 4, 0); FMUL4(8, 0, 0); FADD4(9, 0, 0); FMUL4(4, 0, 0); \
	SIGMOID_OF; FMUL4(4, 1, 1); PUT(move, bytes, F1)

// func sigmoidc4NEON(t *Rows)
TEXT ·sigmoidc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	EXP_CONSTANTS(minusLog2e)
	EACH_ROW(SIGMOID)
	RET

// func siluc4NEON(t *Rows)
TEXT ·siluc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	EXP_CONSTANTS(minusLog2e)
	EACH_ROW(SILU)
	RET

// func hardsigmoidc4NEON(t *Rows)
TEXT ·hardsigmoidc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	HARD_CONSTANTS
	EACH_ROW(HARDSIGMOID)
	RET

// func hardswishc4NEON(t *Rows)
TEXT ·hardswishc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	HARD_CONSTANTS
	EACH_ROW(HARDSWISH)
	RET

// func geluc4NEON(t *Rows)
TEXT ·geluc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	EXP_CONSTANTS(minusLog2e)
	GELU_CONSTANTS
	EACH_ROW(GELU)
	RET

// func gelutanhc4NEON(t *Rows)
TEXT ·gelutanhc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	EXP_CONSTANTS(minusLog2e)
	GELUTANH_CONSTANTS
	EACH_ROW(GELUTANH)
	RET
