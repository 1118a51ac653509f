#include "jobs/evaluate/logistic.h"

#include <cmath>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "jobs/models/normalizer.h"

namespace nightshift::jobs {
namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int kNewtonStepsMax = 50;
constexpr double kStepSizeMin = 1e-8;

/// z-scores with a last column of ones.
Rows standardised(const Normalizer& normalizer, std::span<const double> values) {
    std::vector<double> copy(values.begin(), values.end());
    normalizer.apply(copy);
    const auto columns = static_cast<Eigen::Index>(normalizer.columns());
    const auto rows = static_cast<Eigen::Index>(values.size()) / columns;
    Rows out(rows, columns + 1);
    out.leftCols(columns) = Eigen::Map<const Rows>(copy.data(), rows, columns);
    out.col(columns).setOnes();
    return out;
}

/// Log-loss and ridge, stable for large margins.
double loss_of(const Rows& x, const Eigen::VectorXd& y, const Eigen::VectorXd& w) {
    const Eigen::ArrayXd margin = (x * w).array();
    const Eigen::ArrayXd softplus = margin.cwiseMax(0.0) + (1 + (-margin.abs()).exp()).log();
    return (softplus - y.array() * margin).sum() + 0.5 * w.head(w.size() - 1).squaredNorm();
}

/// Newton's method on the columns of x; the last is the intercept's.
Eigen::VectorXd minimised(const Rows& x, std::span<const int> labels) {
    Eigen::VectorXd y(static_cast<Eigen::Index>(labels.size()));
    for (std::size_t i = 0; i < labels.size(); ++i)
        y(static_cast<Eigen::Index>(i)) = labels[i] == 1 ? 1.0 : 0.0;
    const Eigen::Index columns = x.cols() - 1;
    Eigen::VectorXd w = Eigen::VectorXd::Zero(x.cols());
    double loss = loss_of(x, y, w);
    for (int step = 0; step < kNewtonStepsMax; ++step) {
        const Eigen::ArrayXd p = 1 / (1 + (-(x * w).array()).exp());
        Eigen::VectorXd gradient = x.transpose() * (p.matrix() - y);
        Eigen::MatrixXd curvature = x.transpose() * ((p * (1 - p)).matrix().asDiagonal() * x);
        gradient.head(columns) += w.head(columns);
        curvature.diagonal().head(columns).array() += 1;
        curvature.diagonal().array() += 1e-9;
        const Eigen::VectorXd direction = curvature.ldlt().solve(gradient);
        double size = 1;
        Eigen::VectorXd next = w - direction;
        double next_loss = loss_of(x, y, next);
        while (!(next_loss <= loss) && size > kStepSizeMin) {
            size /= 2;
            next = w - size * direction;
            next_loss = loss_of(x, y, next);
        }
        const bool is_done = loss - next_loss < 1e-10 * (1 + loss);
        if (next_loss <= loss) w = next, loss = next_loss;
        if (is_done) break;
    }
    return w;
}

}  // namespace

std::vector<double> LogisticModel::scores(std::span<const double> values) const {
    Normalizer normalizer{mean, deviation, {}};
    for (const double each : deviation) normalizer.is_zeroed.push_back(each > 0 ? 0 : 1);
    Eigen::VectorXd w(static_cast<Eigen::Index>(weights.size()) + 1);
    for (std::size_t j = 0; j < weights.size(); ++j) w(static_cast<Eigen::Index>(j)) = weights[j];
    w(w.size() - 1) = intercept;
    const Eigen::VectorXd out = standardised(normalizer, values) * w;
    return {out.data(), out.data() + out.size()};
}

LogisticModel fit_logistic(std::span<const double> values, std::int64_t columns,
                           std::span<const int> labels) {
    const Normalizer normalizer = fit_normalizer(values, static_cast<std::size_t>(columns));
    const Eigen::VectorXd w = minimised(standardised(normalizer, values), labels);
    LogisticModel out;
    out.mean = normalizer.mean;
    out.deviation = normalizer.deviation;
    for (std::size_t j = 0; j < out.deviation.size(); ++j) {
        if (normalizer.is_zeroed[j]) out.deviation[j] = 0;
        out.weights.push_back(w(static_cast<Eigen::Index>(j)));
    }
    out.intercept = w(columns);
    return out;
}

LogisticWeights fit_unscaled_logistic(std::span<const double> values, std::int64_t columns,
                                      std::span<const int> labels) {
    Rows x(static_cast<Eigen::Index>(labels.size()), columns + 1);
    x.leftCols(columns) = Eigen::Map<const Rows>(values.data(), x.rows(), columns);
    x.col(columns).setOnes();
    const Eigen::VectorXd w = minimised(x, labels);
    return {{w.data(), w.data() + columns}, w(columns)};
}

}  // namespace nightshift::jobs
