#include "jobs/analyze/analysis_report.h"

namespace nightshift::jobs {

std::string analysis_readme() {
    return R"TEXT(Physics analysis of a data set / 데이터셋의 물리 분석

The risk is a surrogate: constants, nothing learned, no probability. report.html says how well it tells
damaged sequences from normal ones where labels are known.
위험도는 학습하지 않은 대용 지표이며 확률이 아닙니다. 라벨이 있으면 report.html에 ROC AUC가 있습니다.

Frame 1 carries an acceleration that comes from a speed of 0 assumed before it, as in the reference.
1번 프레임의 가속도는 기존 프로그램과 같이 0에서 출발한다고 가정한 값입니다.

Numbers have 17 significant digits; an empty cell is a value that does not exist.
숫자는 유효 숫자 17자리이며, 빈 칸은 값이 없음을 뜻합니다.

summary.csv: one row a sequence / 시퀀스마다 한 줄
  sequence scenario goal split     as the data set has them / 데이터셋의 값
  label                            1 damaged, 0 normal, -1 not known / 1 손상, 0 정상, -1 모름
  event_frame                      true frame of the event from 0, -1 none / 실제 이벤트 프레임, 없으면 -1
  has_frame_metrics                0: angle and strain counted as 0, concentration as 1 / 0이면 metrics 없음
  fps                              frames per second that were used / 사용한 초당 프레임 수
  frame_count                      frames / 프레임 수
  point_count_per_frame_min _max   points / 프레임당 점의 수
  unique_index_count               points over all frames / 전체 점의 수
  mean_speed max_speed             px/s
  mean_acceleration max_...        px/s^2
  mean_ p95_ max_curvature_like    change of velocity / (speed + 1e-6 px/s), no unit / 단위 없음
  meters_per_pixel                 m/px, empty without a scale / 배율이 없으면 빈 칸
  ..._m_s ..._m_s2                 the same in m/s and m/s^2
  mean_ max_ p95_crack_risk        0 to 1, over all points and frames / 모든 점과 프레임
  max_crack_risk_frame _index      frame number and point number of the largest / 최대인 프레임과 점 번호
  mean_ max_strain_surrogate       1; stress is the same number (a modulus of 1) / 응력은 변형률과 같음
  mean_ max_impact_surrogate       px/s (acceleration x 1/fps)

risk.csv: one row a frame, the largest value of its points / 프레임마다 한 줄, 점들의 최댓값
  sequence frame                   name and frame number / 이름과 프레임 번호
  strain_surrogate stress_surrogate  1
  impact_surrogate                 px/s
  crack_risk                       0 to 1

report.html: distributions, scenarios, sequences to look at with vector maps, parameters
report.html: 분포, 시나리오, 벡터 지도, 매개변수
)TEXT";
}

}  // namespace nightshift::jobs
