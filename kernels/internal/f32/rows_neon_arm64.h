// Walking rows of channels, four channels at a time, the last three as two and one.
//
//	R0  t                     R8, R9, R10, R11  In, Out, A and B at the channels under way
//	R1, R2, R3, R4  In, Out, A and B at the row's first channel
//	R5  rows left             R7  channels left

// BEGIN sets the registers up at the first row.
#define BEGIN \
	MOVD Rows_In(R0), R1; \
	MOVD Rows_Out(R0), R2; \
	MOVD Rows_A(R0), R3; \
	MOVD Rows_B(R0), R4; \
	MOVD Rows_RowsLeft(R0), R5

// SPREAD keeps a field of the argument in all lanes.
#define SPREAD(field, F, v, v4) FMOVS field(R0), F; VDUP v, v4

// CHANNELS runs a row's channels: body(move, bytes, only, repeat) handles one vector. only(F) clears the lanes that a
// move of fewer bytes does not fill, for sums; repeat(n) fills them with copies, for the largest.
#define CHANNELS(four, two, one, done, body) \
	MOVD R1, R8; \
	MOVD R2, R9; \
	MOVD R3, R10; \
	MOVD R4, R11; \
	MOVD Rows_C(R0), R7; \
four: \
	SUBS $4, R7; \
	BLT two; \
	body(FMOVQ, 16, ONLY4, REPEAT4); \
	B four; \
two: \
	TBZ $1, R7, one; \
	body(FMOVD, 8, ONLY2, REPEAT2); \
one: \
	TBZ $0, R7, done; \
	body(FMOVS, 4, ONLY1, REPEAT1); \
done:

#define ONLY4(F)
#define ONLY2(F) FMOVD F, F
#define ONLY1(F) FMOVS F, F
#define REPEAT4(d2, d, s4, s)
#define REPEAT2(d2, d, s4, s) VDUP d, d2
#define REPEAT1(d2, d, s4, s) VDUP s, s4

// NEXT_ROW goes to the next row, and to the label if there is one.
#define NEXT_ROW(row) \
	MOVD Rows_LDI(R0), R7; ADD R7, R1; \
	MOVD Rows_LDO(R0), R7; ADD R7, R2; \
	MOVD Rows_LDA(R0), R7; ADD R7, R3; \
	MOVD Rows_LDB(R0), R7; ADD R7, R4; \
	SUBS $1, R5; \
	BNE row; \
	MOVD ZR, Rows_RowsLeft(R0)

// EACH_ROW is the whole of a kernel that has one pass over a row.
#define EACH_ROW(body) \
	PCALIGN $64; \
row: \
	CHANNELS(four, two, one, done, body) \
	NEXT_ROW(row)

// EXP_CONSTANTS are what EXP needs, in V17 to V25; V16 has log₂e, or −log₂e for e⁻ˣ. V25 is 1.
#define EXP_CONSTANTS(factor) \
	MOVD $factor<>(SB), R8; \
	VLD1R (R8), [V16.S4]; \
	MOVD $exp<>(SB), R8; \
	VLD1R.P 4(R8), [V17.S4]; \
	VLD1R.P 4(R8), [V18.S4]; \
	VLD1R.P 4(R8), [V19.S4]; \
	VLD1R.P 4(R8), [V20.S4]; \
	VLD1R.P 4(R8), [V21.S4]; \
	VLD1R.P 4(R8), [V22.S4]; \
	VLD1R.P 4(R8), [V23.S4]; \
	VLD1R.P 4(R8), [V24.S4]; \
	VLD1R.P 4(R8), [V25.S4]

// EXP makes V1 = e^(±V0), by powers of two; V0, V2 and V3 are lost:
//
//	y = V0·V16 clamped to ±126, n = round(y), f = y − n, 2ʸ = 2ⁿ·(1 + f·p(f))
//
// kernels/_asm/rows.go tells what p is.
#define EXP \
	FMUL4(16, 0, 0); FMAX4(17, 0, 0); FMIN4(18, 0, 0); \
	FRINTN4(0, 2); FSUB4(2, 0, 0); FCVTNS4(2, 2); \
	MOV4(20, 1); FMLA4(0, 19, 1); \
	MOV4(21, 3); FMLA4(0, 1, 3); \
	MOV4(22, 1); FMLA4(0, 3, 1); \
	MOV4(23, 3); FMLA4(0, 1, 3); \
	MOV4(24, 1); FMLA4(0, 3, 1); \
	MOV4(25, 3); FMLA4(0, 1, 3); \
	VSHL $23, V2.S4, V2.S4; VADD V2.S4, V3.S4, V1.S4

// The names of the tables are the file's own: each file that uses EXP has its copy.
#define EXP_TABLES \
	DATA log2e<>+0(SB)/4, $1.4426950408889634; \
	GLOBL log2e<>(SB), RODATA|NOPTR, $4; \
	DATA minusLog2e<>+0(SB)/4, $-1.4426950408889634; \
	GLOBL minusLog2e<>(SB), RODATA|NOPTR, $4; \
	DATA exp<>+0(SB)/4, $-126.0; \
	DATA exp<>+4(SB)/4, $126.0; \
	DATA exp<>+8(SB)/4, $0.00015353257185779512; \
	DATA exp<>+12(SB)/4, $0.001339900423772633; \
	DATA exp<>+16(SB)/4, $0.00961843878030777; \
	DATA exp<>+20(SB)/4, $0.05550331994891167; \
	DATA exp<>+24(SB)/4, $0.24022647738456726; \
	DATA exp<>+28(SB)/4, $0.6931471824645996; \
	DATA exp<>+32(SB)/4, $1.0; \
	GLOBL exp<>(SB), RODATA|NOPTR, $36
