#include "jobs/evaluate/vector_map.h"

#include <doctest/doctest.h>

#include <string>

#include "jobs/evaluate/svg_chart.h"

using namespace nightshift::jobs;

namespace {

/// A line of 50 points that moves one pixel a frame, and ten in the step from frame 6 to 7.
Sequence moving_line() {
    Sequence s;
    s.info.points = 50;
    s.info.frames = 12;
    for (int f = 0; f < 12; ++f) {
        for (int p = 0; p < 50; ++p) {
            s.x.push_back(static_cast<std::int16_t>(100 + 4 * p));
            s.y.push_back(static_cast<std::int16_t>(100 + f + (f > 6 ? 9 : 0)));
        }
    }
    return s;
}

std::size_t count(const std::string& text, const std::string& word) {
    std::size_t found = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
    return found;
}

}  // namespace

TEST_CASE("vector map: shows the step into the event, else the one where speed changes most") {
    Sequence s = moving_line();
    CHECK(step_to_show(s).frame == 6);
    CHECK(step_to_show(s).longest_px == 10);
    s.info.event_frame = 4;
    CHECK(step_to_show(s).frame == 3);
    CHECK(step_to_show(s).longest_px == 1);
}

TEST_CASE("vector map: an arrow for each point shown, none where a point is missing") {
    Sequence s = moving_line();
    const MapStep step = step_to_show(s);
    const std::string svg = vector_map_svg(s, step, "a<b");
    CHECK(count(svg, "class=\"arrow\"") == 50);
    CHECK(count(svg, "class=\"ghost\"") == 5);
    CHECK(svg.find("a&lt;b") != std::string::npos);
    s.present.assign(s.x.size(), 1);
    for (int p = 0; p < 10; ++p) s.present[s.at(6, p)] = 0;
    CHECK(count(vector_map_svg(s, step, ""), "class=\"arrow\"") == 40);
    s.info.frames = 1;
    CHECK(vector_map_svg(s, {}, "").empty());
}

TEST_CASE("svg chart: numbers that do not exist are dashes, text is text") {
    CHECK(shown(0.12345) == "0.123");
    CHECK(shown(0.0 / 0.0) == "–");
    CHECK(escaped("<a href='x'>&\"") == "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
    CHECK(thinned(std::vector<std::pair<double, double>>(5000, {0, 0})).size() == 400);
}
