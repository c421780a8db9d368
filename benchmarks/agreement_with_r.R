# Called by agreement_with_r.py. "data FILE" writes lme4's sleepstudy; "fit FILE FORMULA" fits it, and prints a row for
# each fixed effect (estimate, standard error, degrees of freedom by Satterthwaite) and each variance and covariance.
suppressPackageStartupMessages(library(lmerTest))
arguments <- commandArgs(trailingOnly = TRUE)
if (arguments[1] == "data") {
  write.csv(sleepstudy, arguments[2], row.names = FALSE)
} else {
  closely <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9))
  model <- lmer(as.formula(arguments[3]), read.csv(arguments[2]), REML = TRUE, control = closely)
  fixed <- coef(summary(model))
  write.csv(data.frame(kind = "fixed", name = rownames(fixed), fixed[, 1:3]), row.names = FALSE)
  random <- as.data.frame(VarCorr(model))
  names <- paste(random$grp, random$var1, random$var2)
  write.table(data.frame("random", names, random$vcov, NA, NA), sep = ",", row.names = FALSE, col.names = FALSE)
}
