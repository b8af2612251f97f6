import ai.timefold.solver.core.api.domain.entity.PlanningEntity;
import ai.timefold.solver.core.api.domain.lookup.PlanningId;
import ai.timefold.solver.core.api.domain.valuerange.ValueRangeProvider;
import ai.timefold.solver.core.api.domain.variable.PlanningVariable;
import java.util.List;

/** One task to plan; without a place it is escalated. */
@PlanningEntity
public class Duty {
    @PlanningId
    private int id;

    @ValueRangeProvider(id = "places")
    private List<Place> places;

    @PlanningVariable(valueRangeProviderRefs = "places", allowsUnassigned = true)
    private Place place;

    private Instance instance;

    /** For the solver, which clones plans. */
    public Duty() {
    }

    Duty(Instance instance, int id, List<Place> places, Place place) {
        this.instance = instance;
        this.id = id;
        this.places = places;
        this.place = place;
    }

    public int getId() {
        return id;
    }

    public List<Place> getPlaces() {
        return places;
    }

    public Place getPlace() {
        return place;
    }

    public void setPlace(Place place) {
        this.place = place;
    }

    Instance instance() {
        return instance;
    }

    Person person() {
        return place.person();
    }

    int preparation() {
        return instance.preparation[id];
    }

    int window() {
        return instance.firstWindow[id] + place.window();
    }

    int release() {
        return instance.release[window()];
    }

    int due() {
        return instance.due[window()];
    }

    boolean withinHorizon() {
        return due() < instance.slotCount;
    }

    int workMin() {
        return instance.workMin[id][place.person().id()];
    }

    long priceMin() {
        return instance.lateMin[window()] + instance.priceMin[id][place.person().id()];
    }

    long escalationMin() {
        return instance.escalationMin[id];
    }

    int windowCount() {
        return instance.windowCount(id);
    }

    boolean possible(Place there) {
        return there.window() < windowCount() && instance.possible(id, there.person().id(), there.window());
    }

    boolean mayEscalate() {
        return instance.mayEscalate[id];
    }
}
