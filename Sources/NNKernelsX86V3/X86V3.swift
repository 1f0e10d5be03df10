#if arch(x86_64)
  import CPlatform
  import NNKernels

  /// AVX2 and FMA: sixteen registers of 8 floats, so a tile of 6 rows and 16 columns takes twelve.
  public enum X86V3: InstructionSet {
    public static var name: StaticString { "v3" }

    @inline(__always)
    public static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { nnp_fma(a, b, c) }

    @inline(__always)
    public static func multiply(_ block: ProductBlock) {
      if block.aInPanels {
        // Heights that divide a panel's 16 rows.
        block.run(
          Rows4<X86V3, OnePanel>.self,
          triple: Rows4<X86V3, OnePanel>.self,
          tall: Rows4<X86V3, OnePanel>.self,
          pair: Rows4<X86V3, OnePanel>.self,
          odd: Rows4<X86V3, OnePanel>.self,
          single: Rows4<X86V3, OnePanel>.self,
          half: Rows8<X86V3, HalfPanel>.self,
          halfRest: Rows4<X86V3, HalfPanel>.self,
          Rows4<X86V3, OnePanel>.self,
          Rows2<X86V3, TwoPanels>.self,
          Rows1<X86V3, FourPanels>.self)
        return
      }
      block.run(
        Rows6<X86V3, OnePanel>.self,
        triple: Rows6<X86V3, OnePanel>.self,
        tall: Rows6<X86V3, OnePanel>.self,
        pair: Rows6<X86V3, OnePanel>.self,
        odd: Rows6<X86V3, OnePanel>.self,
        single: Rows6<X86V3, OnePanel>.self,
        half: Rows12<X86V3, HalfPanel>.self,
        halfRest: Rows6<X86V3, HalfPanel>.self,
        Rows4<X86V3, OnePanel>.self,
        Rows2<X86V3, TwoPanels>.self,
        Rows1<X86V3, FourPanels>.self)
    }

    /// Every kernel for this instruction set; only for a processor that has it (see `nnp_cpu_has_x86_v3`).
    public static var kernels: KernelTable {
      // A symbol alone: Embedded Swift would otherwise compile a copy of every kernel into each importing module, for
      // the wrong processor.
      @export(interface) get { .make(X86V3.self) }
    }
  }
#endif
