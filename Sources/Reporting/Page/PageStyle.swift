internal import Plots

/// The look of the HTML report.
enum PageStyle {
  /// Everything that stands in the page's `<style>`.
  static var css: String { PlotStyle.css + rules }

  private static let rules = """
    *{box-sizing:border-box}html{-webkit-text-size-adjust:100%}
    body{margin:0 auto;padding:1.5rem 1.25rem 3rem;max-width:60rem;background:var(--page);color:var(--text);\
    font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
    h1{font-size:1.5rem;line-height:1.2;margin:0 0 .3rem}h2{font-size:1.25rem;line-height:1.25;margin:2.6rem 0 .4rem;\
    padding-top:1.1rem;border-top:1px solid var(--rule)}h3{font-size:1rem;margin:1.7rem 0 .2rem}
    p{margin:.35rem 0;max-width:46rem}.soft,figcaption,caption,footer{color:var(--soft)}a{color:var(--main)}
    code,pre{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.86em}
    .verdict{background:var(--panel);border:1px solid var(--rule);border-left:6px solid var(--muted);border-radius:8px;\
    padding:1rem 1.2rem;margin:1.2rem 0}.verdict p:first-child{font-size:1.2rem;font-weight:650;line-height:1.35;\
    margin-top:0}.verdict p:last-child{margin-bottom:0}.verdict.g0{border-left-color:var(--second)}
    .verdict.g1{border-left-color:var(--late)}.verdict.g2{border-left-color:var(--lost)}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.4rem,1fr));gap:.6rem;margin:1rem 0;padding:0}
    .tiles div{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:.55rem .75rem}
    .tiles dt{font-size:.8rem;color:var(--soft)}.tiles dd{margin:0;font-size:1.2rem;font-weight:650;line-height:1.3}
    .tiles dd small{display:block;font-size:.78rem;font-weight:400;color:var(--soft)}
    .scroll{overflow-x:auto;margin:.6rem 0}.scroll:focus-visible,summary:focus-visible{outline:2px solid var(--main);\
    outline-offset:2px}table{border-collapse:collapse;min-width:min(100%,24rem);font-size:.9rem;font-variant-numeric:tabular-nums;\
    overflow-wrap:normal}caption{text-align:left;font-size:.85rem;padding:0 0 .35rem}
    th,td{padding:.28rem 1.4rem .28rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
    thead th{color:var(--soft);font-weight:600;vertical-align:bottom;border-bottom-color:var(--muted)}
    tbody th{font-weight:500}.n{text-align:right;white-space:nowrap}tr.sum th,tr.sum td.n{font-weight:650}
    .wide tbody th{white-space:nowrap}.wide td:last-child{overflow-wrap:anywhere}.wide td:not(.n):last-child{min-width:9rem}.dense{font-size:.82rem;\
    white-space:nowrap}.dense caption{white-space:normal}.dense th,.dense td{padding-right:.95rem}figure{display:flow-root;margin:1.4rem 0 0}figcaption{font-size:.9rem;max-width:46rem}
    figcaption b{color:var(--text);display:block;font-size:1rem}
    details{margin:1.2rem 0;border:1px solid var(--rule);border-radius:8px;padding:.5rem .9rem}\
    summary{cursor:pointer;font-weight:600}pre{white-space:pre-wrap;margin:.6rem 0}nav ul{padding-left:1.2rem}
    footer{margin-top:3rem;border-top:1px solid var(--rule);padding-top:1rem;font-size:.85rem}
    @media(max-width:480px){body{padding:1rem .75rem 2rem;font-size:15px}.verdict{padding:.8rem .9rem}\
    .tiles{grid-template-columns:repeat(2,1fr)}th,td{padding-right:.6rem}table{font-size:.82rem}\
    .wide tbody th:not(.n){white-space:normal}.wide td:not(.n):last-child{min-width:6rem}}
    @media print{body{max-width:none;padding:0;zoom:.85}.tiles{grid-template-columns:repeat(auto-fit,minmax(6.5rem,1fr))}\
    h2,h3,section>header,figcaption,caption,thead{break-after:avoid}\
    footer{margin-top:1.2rem}figure,section>header,.verdict,.tiles div,tr,.scroll:not(:has(tr:nth-child(10))){break-inside:avoid}\
    footer,tbody tr:nth-child(-n+2){break-before:avoid}.verdict,.tiles div{background:none}\
    .scroll{overflow:visible}details:not([open]){display:none}}
    """
}
