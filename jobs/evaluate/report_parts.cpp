#include "jobs/evaluate/report_parts.h"

#include <cmath>

#include "jobs/evaluate/svg_chart.h"

namespace nightshift::jobs {
namespace {

constexpr const char* kStyle = R"CSS(
:root{--bg:#fff;--bg2:#f5f6f8;--bg3:#e8eaee;--ink:#171a1f;--ink2:#555c68;--ctl:#7d8491;--inf:#004a94;
--tra:#a84300;--eva:#00845c;--syn:#7e3563;--bad:#b81d2c;--warn:#825300;--ok:#226b3d}
@media(prefers-color-scheme:dark){:root{--bg:#101318;--bg2:#171b22;--bg3:#242a35;--ink:#e5e8ed;--ink2:#a3abb9;
--ctl:#6f7888;
--inf:#4a9cf5;--tra:#f5893f;--eva:#55d69c;--syn:#d884bb;--bad:#ff8288;--warn:#e2b355;--ok:#75cf92}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1060px;padding:24px;background:var(--bg);color:var(--ink);
font:13px/20px system-ui,"Noto Sans KR","Noto Sans CJK KR","Malgun Gothic",sans-serif;
font-variant-numeric:tabular-nums}
h1{font-size:18px;line-height:24px;margin:0 0 4px}
h2{font-size:14px;line-height:20px;margin:32px 0 8px}
h3{font-size:13px;line-height:20px;margin:16px 0 0}
h2 span,h1 span,.en{color:var(--ink2);font-weight:400}
p{margin:4px 0}
.facts{display:flex;flex-wrap:wrap;gap:8px 32px;margin:16px 0}
.facts div{font-size:12px;color:var(--ink2)}
.facts b{display:block;font-size:20px;line-height:26px;color:var(--ink)}
.finding{border-left:3px solid var(--ctl);background:var(--bg2);padding:8px 12px;margin:8px 0}
.finding.warning{border-color:var(--bad)}.finding.good{border-color:var(--ok)}
.finding b{margin-right:8px}.warning b{color:var(--bad)}.good b{color:var(--ok)}.note b{color:var(--ink2)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th{font-size:12px;font-weight:400;color:var(--ink2);text-align:left;border-bottom:1px solid var(--ctl);
padding:6px 12px 6px 0}
td{border-bottom:1px solid var(--bg3);padding:6px 12px 6px 0;height:32px}
.n{text-align:right}
.base td{color:var(--ink2)}
.row{display:flex;flex-wrap:wrap;gap:24px}
figure{margin:0}figcaption{font-size:12px;color:var(--ink2);max-width:620px}
.chart{max-width:100%;height:auto}
.grid{stroke:var(--bg3)}.tick{font-size:11px;fill:var(--ink2)}.axis,.name{font-size:12px;fill:var(--ink)}
.line{fill:none;stroke-width:2}.dashed{stroke-dasharray:5 4;stroke-width:1.5}
.s0{stroke:var(--inf)}.s1{stroke:var(--tra)}.s2{stroke:var(--eva)}.s3{stroke:var(--syn)}
.s4{stroke:var(--ctl)}.s5{stroke:var(--warn)}
.mark{fill:var(--bg);stroke-width:2}
.cell{stroke:var(--bg3)}.right{fill:var(--eva)}.wrong{fill:var(--bad)}
.count{font-size:20px;fill:var(--ink);font-weight:700}
.normal{fill:var(--inf);fill-opacity:.7}.damaged{fill:var(--bad);fill-opacity:.7}
.ghost{fill:none;stroke:var(--ctl);stroke-opacity:.45}.panel{fill:none;stroke:var(--ink);stroke-width:2}
.arrow{stroke:var(--tra);stroke-width:1.5}.tip{fill:var(--tra)}
footer{margin-top:32px;color:var(--ink2);font-size:12px}
)CSS";

}  // namespace

std::string page_start(const char* title) {
    return std::string(
               "<!doctype html><html lang=\"ko\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
               "content=\"width=device-width\"><title>") +
           title + "</title><style>" + kStyle + "</style></head><body>";
}

std::string heading(const char* ko, const char* en) {
    return std::string("<h2>") + ko + " <span lang=\"en\">" + en + "</span></h2>";
}

std::string cell(const std::string& text, bool is_number) {
    return std::string(is_number ? "<td class=\"n\">" : "<td>") + text + "</td>";
}

std::string head(std::initializer_list<const char*> columns) {
    std::string out = "<div class=\"scroll\"><table><thead><tr>";
    bool is_first = true;
    for (const char* column : columns) {
        out += std::string("<th scope=\"col\"") + (is_first ? "" : " class=\"n\"") + ">" + column + "</th>";
        is_first = false;
    }
    return out + "</tr></thead><tbody>";
}

std::string fact(const std::string& label, const std::string& value) {
    return "<div>" + label + "<b>" + value + "</b></div>";
}

std::string share(std::int64_t part, std::int64_t whole) {
    return std::to_string(part) + " / " + std::to_string(whole) + " · " +
           shown(whole == 0 ? std::nan("") : 100.0 * static_cast<double>(part) / static_cast<double>(whole),
                 1) +
           " %";
}

}  // namespace nightshift::jobs
