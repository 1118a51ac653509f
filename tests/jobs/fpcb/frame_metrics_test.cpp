#include "jobs/fpcb/frame_metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "tests/jobs/fpcb/sequences.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const std::string kHead = "frame,time_s,bend_angle_deg,curvature_concentration,est_max_strain";

jobs::Sequence with_metrics(const std::string& text, std::int32_t frames, std::int32_t first = 0) {
    jobs::Sequence s;
    s.info.name = "a/b";
    s.frame_number.resize(static_cast<std::size_t>(frames));
    std::iota(s.frame_number.begin(), s.frame_number.end(), first);
    s.side_files = {{"fps.txt", "30.0\n"}, {"frame_metrics.csv", text}};
    return s;
}

std::vector<double> angles(const std::string& text, std::int32_t frames = 2, std::int32_t first = 0) {
    return jobs::frame_metrics_of(with_metrics(text, frames, first)).bend_angle_deg;
}

}  // namespace

TEST_CASE("frame metrics: every column of plain rows, in whatever form numbers have") {
    const std::string text = kHead + "\r\n0,0.0,-0.0,1.0,5e-05\r\n1,0.03333,123.4567,2.25,-1.5e+300\r\n";
    const kernels::FrameMetrics found = jobs::frame_metrics_of(with_metrics(text, 2));
    CHECK(found.bend_angle_deg == std::vector<double>{0, 123.4567});
    CHECK(std::signbit(found.bend_angle_deg[0]));
    CHECK(found.curvature_concentration == std::vector<double>{1, 2.25});
    CHECK(found.est_max_strain == std::vector<double>{5e-5, -1.5e300});
    CHECK(jobs::frame_metrics_of(with_metrics(kHead + "\r\n", 0)).bend_angle_deg.empty());
}

TEST_CASE("frame metrics: other forms of the same table") {
    const std::vector<double> wanted{7, 8};
    const std::string lf = kHead + "\n0,0.0,7,1,1\n1,0.1,8,1,1\n";
    CHECK(angles(lf) == wanted);
    CHECK(angles(kHead + "\r\n0,0.0,7,1,1\r\n1,0.1,8,1,1") == wanted);
    CHECK(angles(kHead + "\r\n1,0.1,8,1,1\r\n0,0.0,7,1,1\r\n") == wanted);
    CHECK(angles(kHead + "\r\n0,0.0,7,1,1\r\n1,0.1,8,1,1\r\n2,0.2,9,1,1\r\n") == wanted);
    CHECK(angles(kHead + "\r\n4,0.0,7,1,1\r\n5,0.1,8,1,1\r\n", 2, 4) == wanted);
    CHECK(angles(kHead + "\r\n0,\"0.0\",7,1,1\r\n1,0.1,\"8\",1,1\r\n") == wanted);
    CHECK(angles(kHead + "\r\n0,0.0,+7,1,1\r\n1,0.1,8,1,1\r\n") == wanted);
    CHECK(angles(kHead + "\r\n0,early,7,1,1\r\n1,late,8,1,1\r\n") == wanted);
    CHECK(angles("bend_angle_deg,frame,curvature_concentration,est_max_strain\r\n7,0,1,1\r\n8,1,1,1\r\n") ==
          wanted);
    // Of two rows of a frame the last one counts.
    CHECK(angles(kHead + "\r\n0,0.0,3,1,1\r\n1,0.1,8,1,1\r\n0,0.0,7,1,1\r\n") == wanted);
    const std::vector<double> missing = angles(kHead + "\r\n0,0.0,nan,1,1\r\n1,0.1,,1,1\r\n");
    CHECK(std::isnan(missing.at(0)));
    CHECK(std::isnan(missing.at(1)));
    CHECK(angles(kHead + "\r\n0,0.0,inf,1,1\r\n1,0.1,1e999,1,1\r\n") ==
          std::vector<double>{INFINITY, INFINITY});
}

TEST_CASE("frame metrics: what no table can be read from is refused, naming the file") {
    const auto refused = [](const std::string& text) {
        return refusal([&] { jobs::frame_metrics_of(with_metrics(text, 2)); });
    };
    CHECK(refused(kHead + "\r\n0,0.0,7,1,1\r\n").find("a/b/frame_metrics.csv: no row for frame 1") !=
          std::string::npos);
    CHECK(refused(kHead + "\r\n0,0.0,07,1,1\r\n1,0.1,8,1,1\r\n").find("not numbers") != std::string::npos);
    CHECK(refused(kHead + "\r\n0,0.0,7x,1,1\r\n1,0.1,8,1,1\r\n").find("not numbers") != std::string::npos);
    CHECK(refused(kHead + "\r\n0,0.0,7,1\r\n1,0.1,8,1,1\r\n").find("4 cells instead of 5") !=
          std::string::npos);
    CHECK(refused("").starts_with("bad_bundle"));
}
