#include "jobs/evaluate/limits.h"

namespace nightshift::jobs {

std::vector<Limit> limits_of(const Evaluation& evaluation) {
    std::vector<Limit> out;
    if (evaluation.goal != "table") {
        out.push_back(
            {"a score of a whole sequence does not say when the damage came: evaluate with goal cpd "
             "judges that, and before its event a damaged panel can look like a normal one",
             "시퀀스 점수는 손상 시점을 말하지 않음: goal cpd로 평가할 것. 사건 전의 손상 패널은 "
             "정상처럼 보일 수 있음"});
    }
    out.push_back(
        {"nothing but " + evaluation.source +
             " was judged: other panels, cameras and light can give other figures; score recordings "
             "of your own whose outcome you know before you trust a threshold",
         evaluation.source +
             "만 평가함: 다른 패널·카메라·조명에서는 다를 수 있으므로, 임계값을 믿기 전에 결과를 "
             "아는 자체 기록으로 확인할 것"});
    return out;
}

}  // namespace nightshift::jobs
