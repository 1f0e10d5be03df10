extension ReportWriter {
  /// Colours are variables, so that one page reads in light and in dark; paper is light.
  static var styleSheet: StaticString {
    """
    :root{color-scheme:light dark;--page:#fff;--text:#1f2328;--quiet:#59636e;--line:#8c959f;--grid:#e4e8ec;--panel:#f6f8fa;
    --s0:#0072b2;--s1:#c4520a;--s2:#00805c;--s3:#b0568d;--s4:#b97f00;--s5:#3a8fc4;--s6:#59636e;--inverse:#fff}
    @media (prefers-color-scheme:dark){:root{--page:#14181d;--text:#e6e9ec;--quiet:#a3adb8;--line:#6b7682;--grid:#2b323a;
    --panel:#1d232a;--s0:#4aa8e0;--s1:#f0803c;--s2:#2fc99a;--s3:#dc8fbd;--s4:#e8b33a;--s5:#8fd0f5;--s6:#a3adb8;
    --inverse:#0d1116}}
    @media print{:root{color-scheme:light;--page:#fff;--text:#000;--quiet:#444;--line:#777;--grid:#ddd;--panel:#f4f4f4;
    --s0:#0072b2;--s1:#c4520a;--s2:#00805c;--s3:#b0568d;--s4:#b97f00;--s5:#3a8fc4;--s6:#555;--inverse:#fff}
    figure,tr,img,svg{break-inside:avoid}h2{break-after:avoid}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
    "DejaVu Sans",sans-serif}
    main{max-width:1180px;margin:0 auto;padding:24px 20px 64px}
    h1{font-size:26px;margin:8px 0 16px;overflow-wrap:anywhere}
    h2{font-size:19px;margin:40px 0 12px;padding-bottom:4px;border-bottom:1px solid var(--grid)}
    p{margin:8px 0}.caption{color:var(--quiet);font-size:13px;max-width:76ch}
    table{border-collapse:collapse;margin:8px 0;font-size:14px}
    th,td{padding:3px 14px 3px 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}
    th{color:var(--quiet);font-weight:600;border-bottom:1px solid var(--line)}
    td{border-bottom:1px solid var(--grid)}.number{text-align:right;font-variant-numeric:tabular-nums}
    .figures{display:flex;flex-wrap:wrap;gap:12px 28px;align-items:flex-start}
    figure{margin:8px 0;max-width:100%}figcaption{font-weight:600;font-size:14px;margin-bottom:4px}
    svg{display:block;max-width:100%;height:auto;font-size:12px}
    img{display:block;image-rendering:pixelated;max-width:100%;height:auto}
    .samples td,.samples th{padding:3px 5px;border:0;text-align:center;vertical-align:middle;font-weight:400}
    .samples th:first-child{text-align:left;padding-right:12px}.scroll{overflow-x:auto}
    .mistake{width:112px}.mistake figcaption{font-weight:400;font-size:12px;line-height:1.35;overflow-wrap:anywhere}
    svg text{fill:var(--text)}.label{font-weight:600}.middle{text-anchor:middle}.end{text-anchor:end}
    svg .note{fill:var(--quiet);font-style:italic}svg .inverse{fill:var(--inverse)}
    .grid{stroke:var(--grid)}.axis{stroke:var(--line)}.diagonal{stroke:var(--line);stroke-dasharray:5 4}
    .line{fill:none;stroke-width:2;stroke-linejoin:round}.mark{stroke:var(--page);stroke-width:.6}
    .s0{stroke:var(--s0)}.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}.s3{stroke:var(--s3)}.s4{stroke:var(--s4)}
    .s5{stroke:var(--s5)}.s6{stroke:var(--s6)}
    .f0{fill:var(--s0)}.f1{fill:var(--s1)}.f2{fill:var(--s2)}.f3{fill:var(--s3)}.f4{fill:var(--s4)}
    .f5{fill:var(--s5)}.f6{fill:var(--s6)}
    """
  }
}
